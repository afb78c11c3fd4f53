import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export interface UploadTap {
  /** Sees each chunk before it is sent on; false refuses the rest of the body. */
  uploadChunk(chunk: Buffer): boolean;
  uploadEnd(): void;
  /** The upstream takes bytes again after it had blocked the client. */
  uploadResumed(): void;
}

/**
 * The request body on its way upstream: chunks pass by reference, and the client is read only as fast as the
 * upstream takes them. undici destroys the stream when the upstream is done with the request, whether or not the
 * client is; the client's request must survive that, so it is not handed to undici itself.
 */
export class Upload extends Readable {
  readonly #source: IncomingMessage;
  readonly #tap: UploadTap;

  constructor(source: IncomingMessage, tap: UploadTap) {
    super({ highWaterMark: source.readableHighWaterMark });
    this.#source = source;
    this.#tap = tap;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#end());
  }

  /** The upstream does not take more at the moment, and so nothing more is read from the client. */
  get blocked(): boolean {
    return this.#source.isPaused();
  }

  override _read(): void {
    if (!this.#source.isPaused()) return;
    this.#source.resume();
    this.#tap.uploadResumed();
  }

  /** Errors stay inside: the owner of the exchange has seen them as the upstream's failure. */
  override _destroy(_error: Error | null, callback: (error?: Error | null) => void): void {
    callback();
  }

  #take(chunk: Buffer): void {
    // What comes after the upstream is done is thrown away.
    if (this.destroyed) return;
    if (this.#tap.uploadChunk(chunk) && !this.push(chunk)) this.#source.pause();
  }

  #end(): void {
    if (this.destroyed) return;
    this.#tap.uploadEnd();
    this.push(null);
  }
}
