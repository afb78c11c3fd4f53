import type { Clock } from './clock.ts';
import type { OperatorMetrics } from './metrics.ts';

const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 1_000_000;
/** All retries together: so many at once, then so many a second. As in client-go. */
const BUCKET_SIZE = 100;
const BUCKET_PER_SECOND = 10;

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: OperatorMetrics;
}

interface Delayed {
  readonly at: number;
  readonly cancel: () => void;
}

/**
 * Keys that wait for work. A key waits at most once and is never worked on twice at the same time: added while it is
 * worked on, it waits again afterwards.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: OperatorMetrics['queue'];
  readonly #labels: { name: string; controller: string };
  /** In the order they were first added, with the time of that. */
  readonly #waiting = new Map<string, number>();
  /** Begin of the work on each key. */
  readonly #running = new Map<string, number>();
  /** Added while they were worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  /** Keys the server asked to leave alone, and until when. */
  readonly #heldUntil = new Map<string, number>();
  /** When the bucket would be full again. */
  #bucketFullAt = 0;
  #workers = 0;
  #work: ((key: string) => Promise<void>) | undefined;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor({ name, clock, metrics }: WorkQueueOptions) {
    this.#clock = clock;
    this.#metrics = metrics.queue;
    this.#labels = { name, controller: name };
    this.#metrics.depth.set(this.#labels, 0);
    const running = (): number[] => [...this.#running.values()].map((begin) => this.#secondsSince(begin));
    metrics.queue.unfinishedSeconds.register(this.#labels, () =>
      running().reduce((sum, age) => sum + age, 0),
    );
    metrics.queue.longestSeconds.register(this.#labels, () => Math.max(0, ...running()));
  }

  /** Keys that wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Now, after the work on it that runs, or when the time the server asked for is over. */
  add(key: string): void {
    if (this.#closed || this.#waiting.has(key) || this.#again.has(key)) return;
    const heldMs = this.#heldMs(key);
    if (heldMs > 0) return this.addAfter(key, heldMs);
    this.#metrics.adds.inc(this.#labels);
    if (this.#running.has(key)) this.#again.add(key);
    else this.#enqueue(key);
    this.#next();
  }

  /** After so many milliseconds; of several such wishes the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) return this.add(key);
    const at = this.#clock.monotonic() + ms;
    const other = this.#delayed.get(key);
    if (other !== undefined && other.at <= at) return;
    other?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  /**
   * After a delay that doubles with each failure since `forget`: 5 ms to 1000 s.
   *
   * @param atLeastMs never sooner, whatever is added meanwhile
   */
  addRateLimited(key: string, atLeastMs = 0): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics.retries.inc(this.#labels);
    if (atLeastMs > 0) this.#heldUntil.set(key, this.#clock.monotonic() + atLeastMs);
    const own = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    this.addAfter(key, Math.max(own, this.#reserve(), atLeastMs));
  }

  /** The key is well: its next failure waits 5 ms again. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#heldUntil.delete(key);
  }

  /** Failures since the last `forget`. */
  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Begins to hand out keys to so many workers. `work` handles its own errors; one it throws is not retried. */
  run(workers: number, work: (key: string) => Promise<void>): void {
    this.#workers = workers;
    this.#work = work;
    this.#next();
  }

  /** Takes nothing on any more and waits for the work that runs. */
  async shutdown(): Promise<void> {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    this.#metrics.depth.set(this.#labels, 0);
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #heldMs(key: string): number {
    return (this.#heldUntil.get(key) ?? 0) - this.#clock.monotonic();
  }

  #admit(key: string): void {
    const heldMs = this.#heldMs(key);
    if (heldMs > 0) this.addAfter(key, heldMs);
    else this.#enqueue(key);
  }

  #enqueue(key: string): void {
    this.#waiting.set(key, this.#clock.monotonic());
    this.#metrics.depth.set(this.#labels, this.#waiting.size);
  }

  #next(): void {
    while (this.#work !== undefined && this.#running.size < this.#workers) {
      const first = this.#waiting.entries().next().value;
      if (first === undefined) return;
      const [key, since] = first;
      this.#waiting.delete(key);
      this.#metrics.depth.set(this.#labels, this.#waiting.size);
      this.#metrics.queueSeconds.observe(this.#labels, this.#secondsSince(since));
      this.#running.set(key, this.#clock.monotonic());
      void this.#process(key, this.#work);
    }
  }

  async #process(key: string, work: (key: string) => Promise<void>): Promise<void> {
    try {
      await work(key);
    } catch {
      // The controller that gave the work has reported it.
    }
    const begin = this.#running.get(key) ?? 0;
    this.#metrics.workSeconds.observe(this.#labels, this.#secondsSince(begin));
    this.#running.delete(key);
    if (this.#again.delete(key)) this.#admit(key);
    if (this.#running.size === 0) this.#idle?.();
    this.#next();
  }

  /** Takes a token of the bucket. @returns milliseconds until there is one */
  #reserve(): number {
    const now = this.#clock.monotonic();
    const tokenMs = 1000 / BUCKET_PER_SECOND;
    this.#bucketFullAt = Math.max(this.#bucketFullAt, now) + tokenMs;
    return Math.max(0, this.#bucketFullAt - now - BUCKET_SIZE * tokenMs);
  }

  #secondsSince(time: number): number {
    return (this.#clock.monotonic() - time) / 1000;
  }
}
