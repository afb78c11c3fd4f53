import { findPieces, readFrames } from '@claude-nexus/database';
import type { PieceRow, Queryable } from '@claude-nexus/database';
import { FrameSet, hashKey } from '@claude-nexus/recording/store';

/** Frames in memory at once: each is unpacked whole, and a long conversation draws on many. */
const FRAMES_AT_ONCE = 32;

/** The pieces of one week a body is put together from, read from the frames they came in. */
export class PieceReader {
  readonly #client: Queryable;
  readonly #week: number;
  readonly #pieces = new Map<string, Buffer>();

  constructor(client: Queryable, week: number) {
    this.#client = client;
    this.#week = week;
  }

  /**
   * Reads those of the pieces that are stored and not read yet.
   *
   * @throws {StoreError} for a frame that cannot be unpacked
   */
  async load(hashes: readonly Buffer[]): Promise<void> {
    const wanted = new Map(hashes.map((hash) => [hashKey(hash), hash]));
    for (const key of this.#pieces.keys()) wanted.delete(key);
    const rows = await findPieces(this.#client, { week: this.#week, hashes: [...wanted.values()] });
    const frames = [...Map.groupBy(rows, frameKey).values()];
    for (let at = 0; at < frames.length; at += FRAMES_AT_ONCE) {
      await this.#unpack(frames.slice(at, at + FRAMES_AT_ONCE));
    }
  }

  /** The bytes of a piece; undefined when it is not stored. */
  find(hash: Buffer): Buffer | undefined {
    return this.#pieces.get(hashKey(hash));
  }

  async #unpack(groups: readonly (readonly PieceRow[])[]): Promise<void> {
    const keys = groups.flatMap(([first]) => (first === undefined ? [] : [first]));
    const frames = new FrameSet(await readFrames(this.#client, keys));
    for (const rows of groups) {
      const frame = rows[0] && frames.decode(rows[0].requestId, rows[0].part);
      if (frame === undefined) continue;
      for (const { hash, offset, length } of rows) {
        // A copy: a view would keep the whole frame in memory.
        this.#pieces.set(hashKey(hash), Buffer.from(frame.bytes.subarray(offset, offset + length)));
      }
    }
  }
}

function frameKey({ requestId, part }: { requestId: string; part: number }): string {
  return `${requestId}/${part}`;
}
