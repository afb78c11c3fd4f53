/** A client waiting for an end record. */
export interface EndWait {
  /** Resolves when settled or when the bound is over. */
  readonly promise: Promise<void>;
  settle(): void;
}

interface Pending {
  startedAt: number;
  deadline: number;
  resolve: () => void;
}

/** A timer this late, in milliseconds, says that the process did not get to run. */
const STARVED_MS = 5;
/** No client waits longer, however busy the machine. */
const LONGEST_WAIT_MS = 1000;

/**
 * Bounds how long a client waits for an end record; one timer serves all exchanges. The bound is for a slow disk: time
 * in which this process did not run says nothing about the disk, so the bound then begins anew.
 */
export class EndWaits {
  readonly #lateAfterMs: number;
  readonly #now: () => number;
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;
  /** Waits that ran into the bound. */
  late = 0;

  constructor(options: { lateAfterMs: number; now: () => number }) {
    this.#lateAfterMs = options.lateAfterMs;
    this.#now = options.now;
  }

  start(): EndWait {
    const { promise, resolve } = Promise.withResolvers<void>();
    const startedAt = this.#now();
    const pending: Pending = { startedAt, deadline: startedAt + this.#lateAfterMs, resolve };
    this.#pending.add(pending);
    if (this.#timer === undefined) this.#arm(this.#lateAfterMs);
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

  #arm(ms: number): void {
    this.#dueAt = this.#now() + ms;
    this.#timer = setTimeout(() => this.#expire(), ms);
  }

  #expire(): void {
    const now = this.#now();
    if (now - this.#dueAt > STARVED_MS) {
      for (const pending of this.#pending) {
        pending.deadline = Math.min(now + this.#lateAfterMs, pending.startedAt + LONGEST_WAIT_MS);
      }
    }
    // Timers come before what the disk has answered meanwhile: that is heard first.
    setImmediate(() => this.#release());
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#now();
    for (const pending of this.#pending) {
      if (pending.deadline > now) {
        this.#arm(pending.deadline - now);
        return;
      }
      this.#pending.delete(pending);
      this.late++;
      pending.resolve();
    }
  }
}
