const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const STABLE_MS = 60_000;

/** Waiting times between restarts: doubling, and short again once a run has lasted a minute. */
export class Backoff {
  #next = FIRST_MS;

  /** @param ranMs how long the process that just ended had been running. @returns milliseconds to wait */
  after(ranMs: number): number {
    if (ranMs >= STABLE_MS) this.#next = FIRST_MS;
    const wait = this.#next;
    this.#next = Math.min(LONGEST_MS, wait * 2);
    return wait;
  }
}
