import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { Random as Jitter } from '../../kube/clock.ts';
import type { ReconcileResult } from '../../kube/controller.ts';
import { isNotFound } from '../../kube/errors.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import { carryOut, isTerminating } from './carry-out.ts';
import type { CarryOutTools } from './carry-out.ts';
import { eventsOf } from './events.ts';
import { observe } from './observe.ts';
import type { ObserveTools } from './observe.ts';
import { planChanges } from './plan-changes.ts';
import type { PlanTools } from './plan-changes.ts';
import { settleConditions } from './settle-conditions.ts';

/** What is refused is tried again after so long: nothing tells when somebody has made room. */
const REFUSED_RETRY_MS = 60_000;
const JITTER = 0.2;

export interface ReconcilerOptions extends CarryOutTools, ObserveTools, PlanTools {
  readonly statusWriter: StatusWriter;
  /** Milliseconds between two looks at a resource to which nothing happens. */
  readonly resyncMs: number;
  readonly jitter: Jitter;
}

/** Brings one ClaudeNexus to what it declares: observe, plan, carry out, tell. Keeps nothing between two calls. */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** @param key `namespace/name` */
  async reconcile(key: string): Promise<ReconcileResult> {
    const [namespace = '', name = ''] = key.split('/');
    const owner = await this.#find({ namespace, name });
    // One that is being deleted is the garbage collector's; there is nothing outside the cluster to tidy up.
    if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return {};
    try {
      return await this.#reconcile(owner);
    } catch (error) {
      if (isTerminating(error)) return {};
      // Nothing can be made in a namespace that is gone, and the resource is gone with it.
      if (isNotFound(error) && (await this.#find({ namespace, name })) === undefined) return {};
      throw error;
    }
  }

  /** Read at the source: after a restart, or beside a server that lags, the cache may show a spec of the past. */
  async #find(ref: { namespace: string; name: string }): Promise<ClaudeNexus | undefined> {
    if (!this.#options.cache.has(KINDS.ClaudeNexus, ref)) return undefined;
    try {
      return (await this.#options.client.get(KINDS.ClaudeNexus, ref)) as ClaudeNexus;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #reconcile(owner: ClaudeNexus): Promise<ReconcileResult> {
    const { events, statusWriter } = this.#options;
    const observed = await observe(owner, this.#options);
    const plan = planChanges(observed, this.#options);
    const outcomes = await carryOut(observed, plan, this.#options);
    const conditions = settleConditions(plan.conditions, outcomes);
    const news = await statusWriter.write(owner, { conditions, status: plan.status });
    // Nothing was written: the cache lags behind what was told already.
    const changes = news ? eventsOf(owner.status?.conditions ?? [], conditions) : [];
    for (const event of [...plan.events, ...changes]) events.record(owner, event);
    const refused = outcomes.some(({ type }) => type === 'refused');
    return { requeueAfterMs: this.#again(plan.requeueAfterMs, refused) };
  }

  #again(planned: number | undefined, refused: boolean): number {
    const { resyncMs, jitter } = this.#options;
    const resync = resyncMs * (1 - JITTER + 2 * JITTER * jitter());
    return Math.min(resync, planned ?? Number.POSITIVE_INFINITY, refused ? REFUSED_RETRY_MS : resync);
  }
}
