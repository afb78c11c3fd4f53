import type { IncomingMessage } from 'node:http';

export interface UploadTap {
  /** Takes each chunk; false: no more until `resume`. */
  uploadChunk(chunk: Buffer): boolean;
  uploadEnd(): void;
}

/**
 * The request body on its way upstream: chunks pass by reference, and the client is read only as fast as the
 * upstream takes them. What comes after `drop` is read and thrown away.
 */
export class Upload {
  readonly #source: IncomingMessage;
  #tap: UploadTap | undefined;

  constructor(source: IncomingMessage, tap: UploadTap) {
    this.#source = source;
    this.#tap = tap;
    source.on('data', (chunk: Buffer) => {
      if (this.#tap?.uploadChunk(chunk) === false) source.pause();
    });
    source.once('end', () => this.#tap?.uploadEnd());
  }

  /** The upstream does not take more at the moment, and so nothing more is read from the client. */
  get blocked(): boolean {
    return this.#tap !== undefined && this.#source.isPaused();
  }

  resume(): void {
    this.#source.resume();
  }

  drop(): void {
    this.#tap = undefined;
    this.#source.resume();
  }
}
