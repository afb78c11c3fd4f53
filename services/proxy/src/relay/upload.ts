import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export interface UploadTap {
  /** Sees each chunk before it is sent on; false refuses the rest of the body. */
  uploadChunk(chunk: Buffer): boolean;
  uploadEnd(): void;
  /** Bytes are taken again after the client had been blocked. */
  uploadResumed(): void;
}

/**
 * The request body on its way upstream: chunks pass by reference, and the client is read only as fast as the
 * upstream and the recorder take them. undici destroys the stream when the upstream is done with the request, whether or not the
 * client is; the client's request must survive that, so it is not handed to undici itself.
 */
export class Upload extends Readable {
  readonly #source: IncomingMessage;
  readonly #tap: UploadTap;
  /** The upstream does not take more at the moment. */
  #full = false;
  #held = false;

  constructor(source: IncomingMessage, tap: UploadTap) {
    super({ highWaterMark: source.readableHighWaterMark });
    this.#source = source;
    this.#tap = tap;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#end());
  }

  /** Nothing more is read from the client at the moment, through no fault of its own. */
  get blocked(): boolean {
    return this.#source.isPaused();
  }

  /** Reads nothing more from the client until `released`. */
  hold(released: Promise<void>): void {
    if (this.#held) return;
    this.#held = true;
    this.#source.pause();
    void released.then(() => this.#letGo());
  }

  override _read(): void {
    this.#full = false;
    this.#resume();
  }

  /** Errors stay inside: the owner of the exchange has seen them as the upstream's failure. */
  override _destroy(_error: Error | null, callback: (error?: Error | null) => void): void {
    callback();
  }

  #take(chunk: Buffer): void {
    // What comes after the upstream is done is thrown away.
    if (this.destroyed) return;
    if (!this.#tap.uploadChunk(chunk) || this.push(chunk)) return;
    this.#full = true;
    this.#source.pause();
  }

  #letGo(): void {
    this.#held = false;
    this.#resume();
  }

  #resume(): void {
    if (this.#full || this.#held || !this.#source.isPaused()) return;
    this.#source.resume();
    this.#tap.uploadResumed();
  }

  #end(): void {
    if (this.destroyed) return;
    this.#tap.uploadEnd();
    this.push(null);
  }
}
