import { redactText } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';

import type { ApiClient } from './api-client.ts';
import { formatMicroTime } from './clock.ts';
import type { Clock, Random } from './clock.ts';
import { isNotFound } from './errors.ts';
import { KINDS } from './kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { KubeObject, ObjectRef } from './object.ts';

/** The same event again within this time counts up the series of the first. */
const SERIES_MS = 30 * 60_000;
const BUDGET_MS = 60_000;
/** Writes per object and minute: an install tells of each of its objects. */
const BUDGET = 50;
const MAX_QUEUED = 200;
const MAX_NOTE_BYTES = 1000;
const MAX_NAME = 200;

export interface EventInput {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase. */
  readonly reason: string;
  /** One sentence for people; no secret. */
  readonly note: string;
  /** What was done or failed; default `Reconcile`. */
  readonly action?: string;
}

interface Series {
  readonly input: EventInput;
  readonly regarding: KubeObject;
  readonly ref: ObjectRef & { readonly namespace: string };
  written: boolean;
  /** A write of it waits. */
  queued: boolean;
  count: number;
  lastAt: number;
}

export interface EventRecorderOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  /** `reportingController`. */
  readonly controller: string;
  /** `reportingInstance`: the pod. */
  readonly instance: string;
}

/** Tells people of what happened, as events.k8s.io/v1. Best effort: nothing waits for it and nothing fails by it. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** By content, the least recent first. */
  readonly #series = new Map<string, Series>();
  readonly #budgets = new Map<string, { until: number; used: number }>();
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Never throws. Beyond fifty writes per object and minute new events are dropped and repeated ones only counted. */
  record(regarding: KubeObject, input: EventInput): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    this.#forgetOld(now);
    const { uid = '', namespace = '', name } = regarding.metadata;
    const id = JSON.stringify([uid, namespace, name, input.type, input.reason, input.note, input.action]);
    const series = this.#series.get(id) ?? this.#begin(regarding, input);
    this.#series.delete(id);
    series.count += 1;
    series.lastAt = now;
    const room =
      series.queued || (this.#queued < MAX_QUEUED && this.#spend(`${uid} ${namespace}/${name}`, now));
    if (!room) this.#count('dropped');
    // One that was never written begins anew next time.
    if (room || series.written) this.#series.set(id, series);
    if (!room || series.queued) return;
    series.queued = true;
    this.#queued += 1;
    this.#tail = this.#tail.then(() => this.#write(series));
  }

  /** Resolves when everything recorded has been tried. Never rejects. */
  drain(): Promise<void> {
    return this.#tail;
  }

  #begin(regarding: KubeObject, input: EventInput): Series {
    const { clock, random } = this.#options;
    const { namespace = 'default', name } = regarding.metadata;
    const unique = clock.now().toString(16) + Math.floor(random() * 2 ** 32).toString(16);
    const ref = { namespace, name: `${name.slice(0, MAX_NAME)}.${unique}` };
    return { input, regarding, ref, written: false, queued: false, count: 0, lastAt: 0 };
  }

  async #write(series: Series): Promise<void> {
    series.queued = false;
    this.#queued -= 1;
    try {
      if (!series.written || !(await this.#countUp(series))) await this.#create(series);
      series.written = true;
      this.#count('written');
    } catch (error) {
      this.#count('failed');
      this.#options.log.warn({ err: error, reason: series.input.reason }, 'cannot write an event');
    }
  }

  /** @returns false when the event is gone: the API server keeps events for an hour */
  async #countUp({ ref, count }: Series): Promise<boolean> {
    const { client, clock, controller } = this.#options;
    const series = { count, lastObservedTime: formatMicroTime(clock.now()) };
    try {
      await client.patch(KINDS.Event, ref, { series }, { fieldManager: controller });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #create({ ref, regarding, input }: Series): Promise<void> {
    const { client, clock, controller, instance } = this.#options;
    const { apiVersion, kind, metadata } = regarding;
    const { name, namespace, uid, resourceVersion } = metadata;
    await client.create(
      KINDS.Event,
      {
        apiVersion: KINDS.Event.apiVersion,
        kind: KINDS.Event.kind,
        metadata: ref,
        eventTime: formatMicroTime(clock.now()),
        reportingController: controller,
        reportingInstance: instance,
        action: input.action ?? 'Reconcile',
        reason: input.reason,
        type: input.type,
        note: cut(redactText(input.note)),
        regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
      },
      { fieldManager: controller },
    );
  }

  #spend(object: string, now: number): boolean {
    let budget = this.#budgets.get(object);
    if (budget === undefined || budget.until <= now) {
      budget = { until: now + BUDGET_MS, used: 0 };
      this.#budgets.delete(object);
      this.#budgets.set(object, budget);
    }
    if (budget.used >= BUDGET) return false;
    budget.used += 1;
    return true;
  }

  #forgetOld(now: number): void {
    for (const [id, { lastAt }] of this.#series) {
      if (lastAt + SERIES_MS > now) break;
      this.#series.delete(id);
    }
    for (const [object, { until }] of this.#budgets) {
      if (until > now) break;
      this.#budgets.delete(object);
    }
  }

  #count(outcome: 'written' | 'dropped' | 'failed'): void {
    this.#options.metrics.events.inc({ outcome });
  }
}

/** The API server takes 1024 bytes. */
function cut(note: string): string {
  const bytes = Buffer.from(note);
  return bytes.length <= MAX_NOTE_BYTES ? note : `${bytes.subarray(0, MAX_NOTE_BYTES).toString('utf8')}...`;
}
