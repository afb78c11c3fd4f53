/** Stable codes of everything the store can refuse; part of the public contract. */
export type StoreErrorCode =
  | 'NEXUS_PIECE_MISSING'
  | 'NEXUS_BODY_MISMATCH'
  | 'NEXUS_RECIPE_INVALID'
  | 'NEXUS_FRAME_INVALID'
  | 'NEXUS_FRAME_TOO_LARGE';

/**
 * Something stored cannot be read back. Kept free of the runtime package, so that a reader of bodies loads
 * neither its logger nor its metrics.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** Hex of the piece concerned, when there is one. */
  readonly pieceHash: string | undefined;

  constructor(code: StoreErrorCode, message: string, options: { pieceHash?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pieceHash = options.pieceHash;
  }
}
