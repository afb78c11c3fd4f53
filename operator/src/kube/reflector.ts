import type { Logger } from '@claude-nexus/runtime';

import type { ApiClient, WatchEvent } from './api-client.ts';
import { backoffMs } from './backoff.ts';
import { sleep } from './clock.ts';
import type { Clock, Random } from './clock.ts';
import { ApiError, ApiUnreachableError } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import { keyOf } from './object.ts';
import type { KubeObject, ObjectRef } from './object.ts';

const PAGE = 500;
const WATCH_SECONDS = { min: 240, max: 300 };
/** A watch is silent for so much longer than the server lets it live, or as long again: the connection is dead. */
const SILENCE_MARGIN_MS = 30_000;
const RELIST_MS = 600_000;
/** A watch that ends sooner and brought nothing counts as a failure, so that the next one does not follow at once. */
const SHORT_WATCH_MS = 1000;
const BACKOFF = { firstMs: 800, maxMs: 30_000 };

/** Where a reflector delivers to. */
export interface Sink {
  upsert(object: KubeObject): void;
  remove(ref: ObjectRef): void;
}

export interface ReflectorOptions {
  readonly client: ApiClient;
  readonly kind: Kind;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  /** How long the server keeps a watch; at random between the two. */
  readonly watchSeconds?: { readonly min: number; readonly max: number } | undefined;
  /** About how often everything is listed to repair what no event told of; default ten minutes. */
  readonly relistMs?: number | undefined;
  /** Told when the first complete list has been delivered. */
  readonly onSynced?: (() => void) | undefined;
  /** Told of every failure but an expired version. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Mirrors the objects of one kind into a sink: lists, watches from there, and lists again now and then to repair what
 * no event told of. Nothing that fails ends it.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  /** Resource version of what was delivered, by key. */
  readonly #known = new Map<string, { readonly ref: ObjectRef; readonly version: string }>();
  /** Where the next watch begins; absent: list first. */
  #version: string | undefined;
  #synced = false;
  #contactAt: number;
  #relistAt = 0;
  #failures = 0;
  /** Number of events received. */
  #events = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#contactAt = options.clock.monotonic();
  }

  /** Whether a complete list has been delivered. */
  hasSynced(): boolean {
    return this.#synced;
  }

  /** Milliseconds since the API server was last heard from. */
  contactAgeMs(): number {
    return this.#options.clock.monotonic() - this.#contactAt;
  }

  /** Takes everything out of the sink again: the API is gone. */
  clear(): void {
    for (const { ref } of this.#known.values()) this.#options.sink.remove(ref);
    this.#known.clear();
    this.#version = undefined;
    this.#synced = false;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { kind, namespace = '', metrics } = this.#options;
    const labels = { kind: kind.kind, namespace };
    const unregister = metrics.reflector.contactAge.register(labels, () => this.contactAgeMs() / 1000);
    try {
      while (!signal.aborted) await this.#round(signal);
    } finally {
      unregister();
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const events = this.#events;
    try {
      if (this.#version === undefined || clock.monotonic() >= this.#relistAt) await this.#list(signal);
      if (signal.aborted) return;
      const begin = clock.monotonic();
      await this.#watch(this.#version ?? '', signal);
      if (signal.aborted) return;
      this.#contactAt = clock.monotonic();
      if (this.#events === events && this.#contactAt - begin < SHORT_WATCH_MS)
        await this.#wait(undefined, signal);
      else this.#failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (this.#events !== events) this.#failures = 0;
      await this.#recover(error, signal);
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const expired = error instanceof ApiError && error.status === 410;
    if (expired) this.#version = undefined;
    else this.#report(error);
    // The first expiry after a watch that worked is routine: list again at once.
    if (!expired || this.#failures > 0) await this.#wait(error, signal);
    else this.#failures += 1;
  }

  #report(error: unknown): void {
    const { kind, namespace, metrics, log, onFailure } = this.#options;
    metrics.reflector.failures.inc({ kind: kind.kind });
    log.warn(
      { err: error, kind: kind.kind, namespace, failures: this.#failures + 1 },
      'cannot list or watch',
    );
    onFailure?.(error);
  }

  /**
   * Before another try, which begins with a list: a server that was away, however shortly, may come back with an older
   * state, of which a watch from a later version would not tell.
   */
  async #wait(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    this.#version = undefined;
    await sleep(clock, backoffMs(this.#failures, error, { ...BACKOFF, random }), signal);
    this.#failures += 1;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, kind, clock, random, metrics, namespace, labelSelector, metadataOnly } = this.#options;
    const { relistMs = RELIST_MS } = this.#options;
    const items: KubeObject[] = [];
    let next: string | undefined;
    let version = '';
    do {
      const page = await client.list(kind, {
        limit: PAGE,
        signal,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
        ...(next === undefined ? {} : { continue: next }),
      });
      this.#contactAt = clock.monotonic();
      items.push(...page.items);
      version = page.metadata.resourceVersion;
      next = page.metadata.continue;
    } while (next !== undefined && next !== '');
    if (signal.aborted) return;
    this.#deliver(items);
    metrics.reflector.lists.inc({ kind: kind.kind });
    this.#version = version;
    this.#relistAt = clock.monotonic() + relistMs * (0.8 + 0.4 * random());
    if (this.#synced) return;
    this.#synced = true;
    this.#options.onSynced?.();
  }

  /** Brings the sink to what was listed. */
  #deliver(items: readonly KubeObject[]): void {
    const { kind, metrics } = this.#options;
    const listed = new Set<string>();
    let missed = 0;
    for (const object of items) {
      const { namespace, name, resourceVersion = '' } = object.metadata;
      const key = keyOf(namespace === undefined ? { name } : { namespace, name });
      listed.add(key);
      if (this.#known.get(key)?.version === resourceVersion) continue;
      if (!isNewer(resourceVersion, this.#version)) missed += 1;
      this.#upsert(object);
    }
    for (const [key, { ref }] of this.#known) {
      if (listed.has(key)) continue;
      // May also have gone a moment ago: a list does not say when.
      missed += 1;
      this.#remove(ref);
    }
    if (this.#version !== undefined && missed > 0) metrics.reflector.missed.inc({ kind: kind.kind }, missed);
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, kind, clock, random, metrics, namespace, labelSelector, metadataOnly } = this.#options;
    const { min, max } = this.#options.watchSeconds ?? WATCH_SECONDS;
    const timeoutSeconds = Math.round(min + (max - min) * random());
    const patience = timeoutSeconds * 1000 + Math.min(SILENCE_MARGIN_MS, timeoutSeconds * 1000);
    const stop = new AbortController();
    const ended = Promise.withResolvers<void>();
    const end = (error?: Error): void => {
      if (error === undefined) ended.resolve();
      else ended.reject(error);
      stop.abort();
    };
    const abort = (): void => end();
    signal.addEventListener('abort', abort);
    const silence = new Watchdog(clock, patience, () => {
      end(new ApiUnreachableError(`watch ${kind.kind}: nothing heard in time`));
    });
    const cancelRelist = clock.after(Math.max(0, this.#relistAt - clock.monotonic()), abort);
    metrics.reflector.watches.inc({ kind: kind.kind });
    try {
      const options = {
        resourceVersion,
        timeoutSeconds,
        signal: stop.signal,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
      };
      client
        .watch(kind, options, (event) => {
          if (stop.signal.aborted) return;
          silence.pat();
          this.#handle(event);
        })
        .then(ended.resolve, ended.reject);
      await ended.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      silence.stop();
      cancelRelist();
      stop.abort();
    }
  }

  #handle({ type, object }: WatchEvent): void {
    this.#contactAt = this.#options.clock.monotonic();
    this.#events += 1;
    const { namespace, name, resourceVersion } = object.metadata;
    if (type === 'DELETED') this.#remove(namespace === undefined ? { name } : { namespace, name });
    else if (type !== 'BOOKMARK') this.#upsert(object);
    if (resourceVersion !== undefined) this.#version = resourceVersion;
  }

  #upsert(object: KubeObject): void {
    const { namespace, name, resourceVersion = '' } = object.metadata;
    const ref = namespace === undefined ? { name } : { namespace, name };
    this.#options.sink.upsert(object);
    this.#known.set(keyOf(ref), { ref, version: resourceVersion });
  }

  #remove(ref: ObjectRef): void {
    this.#options.sink.remove(ref);
    this.#known.delete(keyOf(ref));
  }
}

/** Whether a version lies after the watch's place: then its event was still to come and is not missed. */
function isNewer(version: string, place: string | undefined): boolean {
  if (place === undefined || !/^\d+$/.test(version) || !/^\d+$/.test(place)) return false;
  return BigInt(version) > BigInt(place);
}

/** Calls back when nobody patted it for so long. */
class Watchdog {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #bark: () => void;
  #cancel: () => void;

  constructor(clock: Clock, ms: number, bark: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#bark = bark;
    this.#cancel = clock.after(ms, bark);
  }

  pat(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(this.#ms, this.#bark);
  }

  stop(): void {
    this.#cancel();
  }
}
