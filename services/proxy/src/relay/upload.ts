import type { IncomingMessage } from 'node:http';

export interface UploadTap {
  /** Takes each chunk; false: no more until `resume`. */
  uploadChunk(chunk: Buffer): boolean;
  uploadEnd(): void;
  /** The client is read again after it had been blocked. */
  uploadResumed(): void;
}

/**
 * The request body on its way upstream: chunks pass by reference, and the client is read only as fast as the
 * upstream and the recorder take them. What comes after `drop` is read and thrown away.
 */
export class Upload {
  readonly #source: IncomingMessage;
  #tap: UploadTap | undefined;
  /** The upstream does not take more at the moment. */
  #full = false;
  #held = false;

  constructor(source: IncomingMessage, tap: UploadTap) {
    this.#source = source;
    this.#tap = tap;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#tap?.uploadEnd());
  }

  /** Nothing more is read from the client at the moment, through no fault of its own. */
  get blocked(): boolean {
    return this.#tap !== undefined && this.#source.isPaused();
  }

  /** The upstream takes more again. */
  resume(): void {
    this.#full = false;
    this.#read();
  }

  /** Reads nothing more from the client until `released`. */
  hold(released: Promise<void>): void {
    if (this.#held) return;
    this.#held = true;
    this.#source.pause();
    void released.then(() => this.#letGo());
  }

  drop(): void {
    this.#tap = undefined;
    this.#source.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#tap === undefined || this.#tap.uploadChunk(chunk)) return;
    this.#full = true;
    this.#source.pause();
  }

  #letGo(): void {
    this.#held = false;
    this.#read();
  }

  #read(): void {
    if (this.#full || this.#held || !this.blocked) return;
    this.#source.resume();
    this.#tap?.uploadResumed();
  }
}
