/** Time, injected so that tests decide how it passes. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; for what people read. It may jump. */
  now(): number;
  /** Milliseconds that only ever grow, also while the process is stopped; for every decision. */
  monotonic(): number;
  /** Calls back once after so many milliseconds. @returns what cancels it */
  after(ms: number, callback: () => void): () => void;
}

/** A number in [0, 1), injected so that jitter is the same in every test. */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds, or as soon as the signal aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}

/** RFC 3339 to the second, as `metav1.Time`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 to the microsecond, as `metav1.MicroTime`, which Lease and Event demand. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
