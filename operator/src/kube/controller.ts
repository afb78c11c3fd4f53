import type { Logger } from '@claude-nexus/runtime';

import { retryAfterMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { isConflict, StaleCacheError } from './errors.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ReconcileResult {
  /** Look again after so long although nothing may have changed. */
  readonly requeueAfterMs?: number;
}

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  /** Reconciles at once; never two of one key. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  /** Brings the object of a key to what it declares. What it throws is logged, counted and tried again later. */
  readonly reconcile: (key: string) => Promise<ReconcileResult>;
}

/** Runs reconciles for the keys of a queue. */
export class Controller {
  readonly #options: ControllerOptions;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  start(): void {
    const { name, queue, concurrency, metrics } = this.#options;
    metrics.controller.maxConcurrent.set({ controller: name }, concurrency);
    queue.run(concurrency, (key) => this.#reconcile(key));
  }

  /** Begins nothing any more; resolves when what runs has ended. */
  stop(): Promise<void> {
    return this.#options.queue.shutdown();
  }

  async #reconcile(key: string): Promise<void> {
    const { name, clock, metrics, reconcile } = this.#options;
    const labels = { controller: name };
    const begin = clock.monotonic();
    metrics.controller.activeWorkers.inc(labels);
    let result: string;
    try {
      result = this.#succeeded(key, await reconcile(key));
    } catch (error) {
      result = this.#failed(key, error);
    }
    metrics.controller.activeWorkers.dec(labels);
    metrics.controller.seconds.observe(labels, (clock.monotonic() - begin) / 1000);
    metrics.controller.reconciles.inc({ ...labels, result });
  }

  #succeeded(key: string, { requeueAfterMs }: ReconcileResult): string {
    const { queue } = this.#options;
    queue.forget(key);
    if (requeueAfterMs === undefined) return 'success';
    queue.addAfter(key, requeueAfterMs);
    return 'requeue_after';
  }

  #failed(key: string, error: unknown): string {
    const { name, queue, log, metrics } = this.#options;
    metrics.controller.errors.inc({ controller: name });
    // Somebody else was faster: the next look settles it.
    const level = isConflict(error) || error instanceof StaleCacheError ? 'info' : 'error';
    log[level]({ err: error, key, failures: queue.retries(key) + 1 }, 'reconcile failed');
    queue.addRateLimited(key, retryAfterMs(error));
    return 'error';
  }
}
