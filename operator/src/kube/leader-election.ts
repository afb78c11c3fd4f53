import type { Logger } from '@claude-nexus/runtime';

import type { ApiClient } from './api-client.ts';
import { formatMicroTime, sleep } from './clock.ts';
import type { Clock, Random } from './clock.ts';
import { isConflict, isNotFound } from './errors.ts';
import { KINDS } from './kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

/** Of the duration of a lease, as client-go has it (15, 10 and 2 s): the leader gives up before anybody else may take over. */
const RENEW_DEADLINE_SHARE = 2 / 3;
const RETRY_SHARE = 2 / 15;
const TIMEOUT_SHARE = 4 / 15;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface LeaderElectorOptions {
  /** With connections of its own and a short timeout: `ConnectedApi.leaseClient`. */
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly namespace: string;
  readonly name: string;
  /** Of this process alone: the pod's name and something random. */
  readonly identity: string;
  /** Whole seconds count. */
  readonly leaseMs: number;
}

/** @returns how long a request about the lease may take, so that two attempts fit into the leader's time */
export function leaseTimeoutMs(leaseMs: number): number {
  return Math.round(leaseMs * TIMEOUT_SHARE);
}

/**
 * Leader election by a Lease, as client-go does it: a lease is over when its record has not changed for so long by the
 * local monotonic clock. Times written by others are never compared, so clocks may be wrong.
 */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #leaseSeconds: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #lost: (() => void)[] = [];
  readonly #stopped = new AbortController();
  #state: 'following' | 'leading' | 'over' = 'following';
  /** Sending time of the last renewal that succeeded. */
  #renewedAt = 0;
  /** The lease as it was last seen, and when it was first seen so. */
  #seen: { readonly lease: KubeObject; readonly at: number } | undefined;
  #cancelDeadline: (() => void) | undefined;
  #renewing: Promise<void> | undefined;

  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#leaseSeconds = Math.ceil(options.leaseMs / 1000);
    this.#renewDeadlineMs = Math.floor(options.leaseMs * RENEW_DEADLINE_SHARE);
    this.#retryMs = Math.round(options.leaseMs * RETRY_SHARE);
    options.metrics.leader.set({ name: options.name }, 0);
  }

  /** True only while nobody else can hold the lease. Ask right before each write. */
  isLeader(): boolean {
    const { clock } = this.#options;
    return this.#state === 'leading' && clock.monotonic() < this.#renewedAt + this.#renewDeadlineMs;
  }

  /** Called once when leadership was lost, not when it was released. The process must end: it does not apply again. */
  onLost(listener: () => void): void {
    this.#lost.push(listener);
  }

  /** Waits until this process leads, and keeps the lease renewed from then on. @returns false when aborted */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, log, name, identity } = this.#options;
    while (!signal.aborted && this.#state === 'following') {
      if (await this.#attempt()) {
        log.info({ lease: name, identity }, 'leading');
        this.#renewing = this.#keepRenewed();
        return true;
      }
      await sleep(clock, this.#retryMs * (0.75 + 0.5 * random()), signal);
    }
    return false;
  }

  /** Stops renewing and lets others take over at once. Never rejects. */
  async release(): Promise<void> {
    const leading = this.isLeader();
    this.#end();
    await this.#renewing;
    const lease = this.#seen?.lease;
    if (!leading || lease === undefined) return;
    const time = formatMicroTime(this.#options.clock.now());
    const spec = {
      ...specOf(lease),
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: time,
      acquireTime: time,
    };
    try {
      await this.#options.client.replace(KINDS.Lease, { ...lease, spec });
    } catch (error) {
      this.#options.log.warn({ err: error }, 'cannot release the lease: others wait until it is over');
    }
  }

  #end(): void {
    this.#state = 'over';
    this.#cancelDeadline?.();
    this.#stopped.abort();
    this.#options.metrics.leader.set({ name: this.#options.name }, 0);
  }

  #lose(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#end();
    this.#options.log.error({ lease: this.#options.name, reason }, 'lost the lease');
    for (const listener of this.#lost) listener();
  }

  async #keepRenewed(): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await sleep(this.#options.clock, this.#retryMs, signal);
      if (signal.aborted) return;
      await this.#attempt();
    }
  }

  /** Takes or renews the lease if that is possible now. Never rejects. @returns whether this process leads */
  async #attempt(): Promise<boolean> {
    const { clock, log } = this.#options;
    const sentAt = clock.monotonic();
    try {
      const lease = (await this.#renewDirectly()) ?? (await this.#takeOver());
      if (this.#state === 'over') return false;
      if (lease === undefined) return false;
      this.#see(lease);
      return this.#hold(sentAt);
    } catch (error) {
      if (!isConflict(error)) log.warn({ err: error }, 'cannot take or renew the lease');
      return false;
    }
  }

  #hold(sentAt: number): boolean {
    const { clock, metrics, name } = this.#options;
    if (this.#state === 'leading' && !this.isLeader()) {
      this.#lose('renewed too late');
      return false;
    }
    this.#state = 'leading';
    this.#renewedAt = sentAt;
    this.#cancelDeadline?.();
    const left = sentAt + this.#renewDeadlineMs - clock.monotonic();
    this.#cancelDeadline = clock.after(left, () => this.#lose('not renewed in time'));
    metrics.leader.set({ name }, 1);
    return true;
  }

  /** While nobody interferes one request renews. @returns undefined when somebody did */
  async #renewDirectly(): Promise<KubeObject | undefined> {
    if (this.#state !== 'leading' || this.#seen === undefined) return undefined;
    try {
      return await this.#write(this.#seen.lease);
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #takeOver(): Promise<KubeObject | undefined> {
    const { client, namespace, name } = this.#options;
    let lease: KubeObject;
    try {
      lease = await client.get(KINDS.Lease, { namespace, name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // Somebody deleted it: its holder leads until the time that is his is over.
      if (this.#heldByOther()) return undefined;
      return client.create(KINDS.Lease, {
        apiVersion: KINDS.Lease.apiVersion,
        kind: KINDS.Lease.kind,
        metadata: { namespace, name },
        spec: this.#claim({}),
      });
    }
    if (lease.metadata.resourceVersion !== this.#seen?.lease.metadata.resourceVersion) this.#see(lease);
    if (this.#heldByOther()) {
      this.#lose(`held by ${specOf(lease).holderIdentity ?? ''}`);
      return undefined;
    }
    return this.#write(lease);
  }

  /** Whether somebody else's lease is not over, as far as was seen. */
  #heldByOther(): boolean {
    const { clock, identity } = this.#options;
    if (this.#seen === undefined) return false;
    const { holderIdentity = '', leaseDurationSeconds = this.#leaseSeconds } = specOf(this.#seen.lease);
    if (holderIdentity === '' || holderIdentity === identity) return false;
    return clock.monotonic() < this.#seen.at + leaseDurationSeconds * 1000;
  }

  /** PUT with the resource version that was seen: of several only one succeeds. */
  #write(lease: KubeObject): Promise<KubeObject> {
    return this.#options.client.replace(KINDS.Lease, { ...lease, spec: this.#claim(specOf(lease)) });
  }

  #claim(before: LeaseSpec): LeaseSpec {
    const { clock, identity } = this.#options;
    const now = formatMicroTime(clock.now());
    const mine = before.holderIdentity === identity;
    const transitions = before.leaseTransitions ?? 0;
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: this.#leaseSeconds,
      acquireTime: mine ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: mine || before.holderIdentity === undefined ? transitions : transitions + 1,
    };
  }

  #see(lease: KubeObject): void {
    this.#seen = { lease, at: this.#options.clock.monotonic() };
  }
}

function specOf(lease: KubeObject): LeaseSpec {
  return lease['spec'] ?? {};
}
