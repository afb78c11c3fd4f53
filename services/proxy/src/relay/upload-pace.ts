/** A client that sends this fast keeps up, however long its body takes. Bytes per second. */
const PACE = 64 * 1024;

/**
 * How far a client that sends a body has fallen behind. It may pause for `graceMs`; what it sends earns it time at the
 * pace, so that neither a pause nor a trickle goes on for ever. Times in milliseconds.
 */
export class UploadPace {
  readonly #graceMs: number;
  #due: number;

  constructor(graceMs: number, now: number) {
    this.#graceMs = graceMs;
    this.#due = now + graceMs;
  }

  came(bytes: number, now: number): void {
    this.#due = Math.min(now + this.#graceMs, this.#due + (bytes / PACE) * 1000);
  }

  /** It was not the client that held things up until now. */
  excuse(now: number): void {
    this.#due = now + this.#graceMs;
  }

  /** Positive: behind for so long. */
  behindMs(now: number): number {
    return now - this.#due;
  }
}
