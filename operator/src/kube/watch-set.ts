import type { Logger } from '@claude-nexus/runtime';

import type { ApiClient } from './api-client.ts';
import { backoffMs } from './backoff.ts';
import type { Cache } from './cache.ts';
import { sleep } from './clock.ts';
import type { Clock, Random } from './clock.ts';
import { ApiError } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';

const DISCOVERY_MS = 120_000;
const BACKOFF = { firstMs: 800, maxMs: 30_000 };

/** A kind to mirror. */
export interface Watch {
  readonly kind: Kind;
  readonly labelSelector?: string;
  readonly metadataOnly?: boolean;
  /** The cluster may not know the kind: mirrored while it does. */
  readonly optional?: boolean;
}

export interface WatchSetOptions {
  readonly client: ApiClient;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly watches: readonly Watch[];
  /** Empty: all, by cluster-wide requests. Else one reflector per kind and namespace; cluster-scoped kinds are left out. */
  readonly namespaces: readonly string[];
  /** An optional kind has come, and its objects are known, or gone. */
  readonly onKindsChange?: (() => void) | undefined;
  readonly watchSeconds?: ReflectorOptions['watchSeconds'];
  readonly relistMs?: ReflectorOptions['relistMs'];
}

interface Running {
  readonly reflector: Reflector;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  readonly forget: () => void;
}

/** All reflectors of the process. */
export class WatchSet {
  readonly #options: WatchSetOptions;
  readonly #running = new Map<Watch, Running[]>();
  readonly #stopped = new AbortController();
  /** Which optional kinds there are is known. */
  #discovered: boolean;
  #discovering: Promise<void> | undefined;

  constructor(options: WatchSetOptions) {
    this.#options = options;
    this.#discovered = !options.watches.some(({ optional }) => optional === true);
    options.cache.addSource(() => this.#discovered);
  }

  start(): void {
    for (const watch of this.#options.watches) if (watch.optional !== true) this.#begin(watch);
    if (!this.#discovered) this.#discovering = this.#keepDiscovering();
  }

  /** Ends all reflectors. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#discovering;
    const all = [...this.#running.values()].flat();
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ done }) => done));
  }

  /** Whether the cluster has the kind and the cache holds its objects. */
  has(kind: Kind): boolean {
    return [...this.#running].some(
      ([watch, running]) =>
        watch.kind.kind === kind.kind && watch.kind.apiVersion === kind.apiVersion && running.every(isSynced),
    );
  }

  /** Milliseconds since the reflector that waits longest heard from the API server; 0 without any. */
  contactAgeMs(): number {
    const all = [...this.#running.values()].flat();
    return Math.max(0, ...all.map(({ reflector }) => reflector.contactAgeMs()));
  }

  #begin(watch: Watch): void {
    const { namespaces } = this.#options;
    if (namespaces.length > 0 && !watch.kind.namespaced) return;
    const scopes = namespaces.length === 0 ? [undefined] : namespaces;
    this.#running.set(
      watch,
      scopes.map((namespace) => this.#mirror(watch, namespace)),
    );
  }

  #mirror(watch: Watch, namespace: string | undefined): Running {
    const { client, cache, clock, random, log, metrics, watchSeconds, relistMs } = this.#options;
    const { kind, labelSelector, metadataOnly } = watch;
    const stop = new AbortController();
    const reflector = new Reflector({
      client,
      clock,
      random,
      log,
      metrics,
      watchSeconds,
      relistMs,
      kind,
      namespace,
      labelSelector,
      metadataOnly,
      sink: cache.sink(kind),
      onSynced: () => {
        if (watch.optional === true && this.#running.get(watch)?.every(isSynced) === true) {
          this.#options.onKindsChange?.();
        }
      },
      onFailure: (error) => {
        if (watch.optional === true && isUnavailable(error)) this.#end(watch);
      },
    });
    const forget = cache.addSource(() => reflector.hasSynced());
    return { reflector, stop, done: reflector.run(stop.signal), forget };
  }

  /** Of a kind that is gone nothing is known any more; nothing waits for it either. */
  #end(watch: Watch): void {
    const running = this.#running.get(watch);
    if (running === undefined) return;
    this.#running.delete(watch);
    for (const { reflector, stop, forget } of running) {
      stop.abort();
      reflector.clear();
      forget();
    }
    this.#options.log.warn({ kind: watch.kind.kind }, 'optional kind is not available');
    this.#options.onKindsChange?.();
  }

  async #keepDiscovering(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      let wait = DISCOVERY_MS * (0.9 + 0.2 * random());
      try {
        await this.#discover();
        this.#discovered = true;
        failures = 0;
      } catch (error) {
        log.warn({ err: error }, 'cannot find out which kinds there are');
        if (!this.#discovered) wait = backoffMs(failures++, error, { ...BACKOFF, random });
      }
      await sleep(clock, wait, signal);
    }
  }

  async #kindsOf(apiVersion: string): Promise<ReadonlySet<string>> {
    try {
      return await this.#options.client.kindsOf(apiVersion);
    } catch (error) {
      if (isUnavailable(error)) return new Set();
      throw error;
    }
  }

  async #discover(): Promise<void> {
    const { watches, log } = this.#options;
    const optional = watches.filter((watch) => watch.optional === true);
    const known = new Map<string, ReadonlySet<string>>();
    for (const { kind } of optional) {
      if (!known.has(kind.apiVersion)) known.set(kind.apiVersion, await this.#kindsOf(kind.apiVersion));
    }
    if (this.#stopped.signal.aborted) return;
    for (const watch of optional) {
      const present = known.get(watch.kind.apiVersion)?.has(watch.kind.kind) === true;
      if (!present) this.#end(watch);
      else if (!this.#running.has(watch)) {
        this.#begin(watch);
        log.info({ kind: watch.kind.kind }, 'optional kind is available');
      }
    }
  }
}

function isSynced({ reflector }: Running): boolean {
  return reflector.hasSynced();
}

/** The API does not serve the kind, or does not let the operator see it. */
function isUnavailable(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 403);
}
