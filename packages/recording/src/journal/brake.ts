export interface BrakeOptions {
  /** With so many bytes waiting for the disk request bodies are to wait, until half of them are written. */
  highBytes: number;
  /** A disk that writes nothing for so long hangs, and nobody waits for it. Milliseconds. */
  hangMs: number;
}

/**
 * Holds request bodies back while a slow disk catches up, so that a burst costs time and not records. Only while it
 * writes: a disk that hangs must not keep clients from being served, and from then on the bound of the queue counts.
 */
export class Brake {
  readonly #options: BrakeOptions;
  #held: { promise: Promise<void>; resolve: () => void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hangs = false;

  constructor(options: BrakeOptions) {
    this.#options = options;
  }

  /** @returns what a producer should wait for before it goes on; undefined: nothing */
  check(queuedBytes: number): Promise<void> | undefined {
    if (this.#held === undefined) {
      if (this.#hangs || queuedBytes < this.#options.highBytes) return undefined;
      this.#held = Promise.withResolvers<void>();
      this.#watch();
    }
    return this.#held.promise;
  }

  /** Bytes have left the queue: so many remain. */
  progress(queuedBytes: number): void {
    this.#hangs = false;
    if (this.#held === undefined) return;
    if (queuedBytes <= this.#options.highBytes / 2) this.release();
    else this.#watch();
  }

  /** Lets everybody go on. */
  release(): void {
    clearTimeout(this.#timer);
    this.#held?.resolve();
    this.#held = undefined;
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#hangs = true;
      this.release();
    }, this.#options.hangMs);
  }
}
