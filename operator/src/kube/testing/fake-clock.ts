import type { Clock } from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Enough turns for a chain of promises to run to where it waits for time or for the network. */
const TURNS = 5;

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes only when a test says so; wall clock and monotonic clock can drift apart. */
export class FakeClock implements Clock {
  #monotonic = 1000;
  #wall = Date.parse('2026-01-02T03:04:05.678Z');
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#monotonic + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Milliseconds until each pending timer, soonest first. */
  get pending(): number[] {
    return [...this.#timers].map((timer) => timer.at - this.#monotonic).toSorted((a, b) => a - b);
  }

  /** The wall clock is set; timers and the monotonic clock do not notice. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /** Time passes without a timer firing, as for a process that is stopped; the next `advance` fires what is overdue. */
  freeze(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
  }

  /** Fires the timers that come due one after the other, each followed by everything it causes. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.#monotonic + ms;
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers.delete(next);
      this.#moveTo(Math.max(next.at, this.#monotonic));
      next.callback();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  #moveTo(time: number): void {
    this.#wall += time - this.#monotonic;
    this.#monotonic = time;
  }

  #due(end: number): Timer | undefined {
    return [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}
