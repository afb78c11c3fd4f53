/** A client waiting for an end record. */
export interface EndWait {
  /** Resolves when settled or when the bound is over. */
  readonly promise: Promise<void>;
  settle(): void;
}

interface Pending {
  deadline: number;
  resolve: () => void;
}

/** Bounds how long a client waits for an end record; one timer serves all exchanges. */
export class EndWaits {
  readonly #lateAfterMs: number;
  readonly #now: () => number;
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;
  /** Waits that ran into the bound. */
  late = 0;

  constructor(options: { lateAfterMs: number; now: () => number }) {
    this.#lateAfterMs = options.lateAfterMs;
    this.#now = options.now;
  }

  start(): EndWait {
    const { promise, resolve } = Promise.withResolvers<void>();
    const pending: Pending = { deadline: this.#now() + this.#lateAfterMs, resolve };
    this.#pending.add(pending);
    this.#timer ??= setTimeout(() => this.#expire(), this.#lateAfterMs);
    return {
      promise,
      settle: () => {
        this.#pending.delete(pending);
        resolve();
      },
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { resolve } of this.#pending) resolve();
    this.#pending.clear();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const pending of this.#pending) {
      if (pending.deadline > now) {
        this.#timer = setTimeout(() => this.#expire(), pending.deadline - now);
        return;
      }
      this.#pending.delete(pending);
      this.late++;
      pending.resolve();
    }
  }
}
