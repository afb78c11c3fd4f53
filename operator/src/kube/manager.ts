import type { Logger, Shutdown } from '@claude-nexus/runtime';

import { backoffMs } from './backoff.ts';
import type { Cache } from './cache.ts';
import { sleep } from './clock.ts';
import type { Clock, Random } from './clock.ts';
import type { Controller } from './controller.ts';
import { ApiError, ApiUnreachableError } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { LeaderElector } from './leader-election.ts';
import { WatchSet } from './watch-set.ts';
import type { WatchSetOptions } from './watch-set.ts';

const LIVENESS_MS = 600_000;
const SYNC_POLL_MS = 100;
const BACKOFF = { firstMs: 800, maxMs: 30_000 };

export interface ManagerOptions extends WatchSetOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Must succeed before anything is watched; tried again while the API server cannot be reached. */
  readonly beforeStart?: (() => Promise<void>) | undefined;
  /** Absent: works without asking anybody. */
  readonly elector?: LeaderElector | undefined;
  readonly controllers: readonly Controller[];
  /** Done when the controllers have stopped, such as draining events. */
  readonly afterControllers?: (() => Promise<void>) | undefined;
  /** `/livez` fails after so long without a word; more than a silent watch takes to be replaced. Default ten minutes. */
  readonly livenessMs?: number | undefined;
  readonly shutdown: Shutdown;
}

/**
 * Brings the parts of an operator up in order (hook, reflectors, filled caches, leadership, controllers) and, through the
 * shutdown, down again in the opposite one, so that the lease is free only when nothing writes any more.
 */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #watches: WatchSet;
  readonly #stopping = new AbortController();

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#watches = new WatchSet(options);
    const { shutdown, elector, controllers, afterControllers } = options;
    shutdown.add('reflectors', () => this.#watches.stop());
    shutdown.add('lease', () => elector?.release());
    shutdown.add('controllers', async () => {
      this.#stopping.abort();
      await Promise.all(controllers.map((controller) => controller.stop()));
      await afterControllers?.();
    });
    // Writes are fenced off already; what else this process believes is outdated.
    elector?.onLost(() => void shutdown.request('leadership lost', 1));
  }

  /**
   * Resolves when the reflectors run; the rest follows by itself.
   *
   * @throws what `beforeStart` throws, unless the API server cannot be reached or is overloaded
   */
  async start(): Promise<void> {
    await this.#prepare();
    if (this.#stopping.signal.aborted) return;
    this.#watches.start();
    this.#work().catch((error: unknown) => {
      this.#options.log.fatal({ err: error }, 'the controllers could not be started');
      void this.#options.shutdown.request('start failed', 1);
    });
  }

  /** Whether the cluster has the kind and the cache holds its objects. */
  has(kind: Kind): boolean {
    return this.#watches.has(kind);
  }

  /** Milliseconds since the reflector that waits longest heard from the API server. */
  contactAgeMs(): number {
    return this.#watches.contactAgeMs();
  }

  /** For `serveHealth`. */
  livez(): string | undefined {
    const age = this.contactAgeMs();
    if (age <= (this.#options.livenessMs ?? LIVENESS_MS)) return undefined;
    return `nothing heard from the API server for ${Math.round(age / 1000)} s`;
  }

  /** For `serveHealth`. */
  readyz(): string | undefined {
    if (this.#options.shutdown.started) return 'shutting down';
    return this.#options.cache.hasSynced() ? undefined : 'caches are not filled';
  }

  async #prepare(): Promise<void> {
    const { beforeStart, clock, random, log } = this.#options;
    const { signal } = this.#stopping;
    if (beforeStart === undefined) return;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await beforeStart();
      } catch (error) {
        if (!isPassing(error)) throw error;
        log.warn({ err: error }, 'the API server is not ready: trying again');
        await sleep(clock, backoffMs(failures, error, { ...BACKOFF, random }), signal);
      }
    }
  }

  async #work(): Promise<void> {
    const { cache, clock, elector, controllers, log } = this.#options;
    const { signal } = this.#stopping;
    while (!cache.hasSynced()) {
      await sleep(clock, SYNC_POLL_MS, signal);
      if (signal.aborted) return;
    }
    log.info('caches are filled');
    if (elector !== undefined && !(await elector.acquire(signal))) return;
    if (signal.aborted) return;
    for (const controller of controllers) controller.start();
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiUnreachableError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}
