import { Readable } from 'node:stream';

/** More than this waiting for one client means it does not keep up. The bytes are shared with other streams. */
export const MAX_WAITING_BYTES = 1_048_576;

export interface EventStreamOptions {
  /** Only requests of this domain are sent. */
  readonly domain: string | undefined;
  /** The session ends then, and the stream with it. Epoch milliseconds. */
  readonly expiresAt: number | undefined;
  /** Called when the client was too slow and is dropped. */
  readonly onDropped: () => void;
}

/** What is sent to one client. It may come back with Last-Event-ID after it was dropped. */
export class EventStream extends Readable {
  readonly domain: string | undefined;
  readonly expiresAt: number | undefined;
  readonly #onDropped: () => void;
  #wanted: (() => void) | undefined;
  #finished = false;

  constructor(options: EventStreamOptions) {
    super({ highWaterMark: 16_384 });
    this.domain = options.domain;
    this.expiresAt = options.expiresAt;
    this.#onDropped = options.onDropped;
  }

  /** Queues bytes for the client. False when it cannot take more; it is then gone. */
  send(bytes: Buffer): boolean {
    if (this.destroyed || this.#finished) return false;
    if (this.readableLength + bytes.length > MAX_WAITING_BYTES) {
      this.#onDropped();
      this.destroy();
      return false;
    }
    this.push(bytes);
    return true;
  }

  /** Ends the stream in order. */
  finish(): void {
    if (this.destroyed || this.#finished) return;
    this.#finished = true;
    this.push(null);
  }

  /** Resolves when what was queued is on its way, or the client is gone. */
  async drained(): Promise<void> {
    if (this.destroyed || this.readableLength < this.readableHighWaterMark) return;
    await new Promise<void>((resolve) => {
      this.#wanted = resolve;
    });
  }

  override _read(): void {
    this.#wake();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#wake();
    callback(error);
  }

  #wake(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }
}
