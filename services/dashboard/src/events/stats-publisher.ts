import type { StatsEvent } from '@claude-nexus/api-contract';
import type { Logger } from '@claude-nexus/runtime';
import type { DashboardStore } from '../store.ts';

export interface StatsPublisherOptions {
  readonly store: Pick<DashboardStore, 'usageTotals'>;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

type StatsListener = (stats: StatsEvent) => void;

interface Topic {
  readonly domain: string | undefined;
  readonly listeners: Set<StatsListener>;
  latest: StatsEvent | undefined;
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
  busy: boolean;
  dirty: boolean;
}

/** At most one computation per topic in this time. */
const INTERVAL_MS = 1_000;
/** After a failure. */
const RETRY_MS = 4_000;
const WINDOW_MS = 24 * 3_600_000;

/** Totals of the last 24 hours, once per domain for everybody who listens, again after changes. */
export class StatsPublisher {
  readonly #options: StatsPublisherOptions;
  readonly #topics = new Map<string | undefined, Topic>();

  constructor(options: StatsPublisherOptions) {
    this.#options = options;
  }

  /** Listens to one domain, or to all. The listener is called soon, then after changes. */
  listen(domain: string | undefined, listener: StatsListener): () => void {
    const topic = this.#topics.get(domain) ?? this.#open(domain);
    topic.listeners.add(listener);
    const current = topic.timer === undefined && !topic.busy ? topic.latest : undefined;
    if (current === undefined) this.#schedule(topic);
    else listener(current);
    return () => {
      topic.listeners.delete(listener);
      if (topic.listeners.size === 0) this.#close(topic);
    };
  }

  /** Requests of this domain changed; undefined for any domain. */
  changed(domain: string | undefined): void {
    const topics =
      domain === undefined ? this.#topics.values() : [this.#topics.get(domain), this.#topics.get(undefined)];
    for (const topic of topics) if (topic !== undefined) this.#schedule(topic);
  }

  #open(domain: string | undefined): Topic {
    const topic: Topic = {
      domain,
      listeners: new Set(),
      latest: undefined,
      startedAt: Number.NEGATIVE_INFINITY,
      timer: undefined,
      busy: false,
      dirty: false,
    };
    this.#topics.set(domain, topic);
    return topic;
  }

  #close(topic: Topic): void {
    clearTimeout(topic.timer);
    topic.timer = undefined;
    if (this.#topics.get(topic.domain) === topic) this.#topics.delete(topic.domain);
  }

  #schedule(topic: Topic): void {
    topic.dirty = true;
    if (topic.timer !== undefined || topic.busy) return;
    const wait = Math.max(0, topic.startedAt + INTERVAL_MS - this.#options.now());
    topic.timer = setTimeout(() => void this.#publish(topic), wait);
  }

  async #publish(topic: Topic): Promise<void> {
    topic.timer = undefined;
    topic.dirty = false;
    topic.busy = true;
    const to = this.#options.now();
    topic.startedAt = to;
    try {
      const from = to - WINDOW_MS;
      const totals = await this.#options.store.usageTotals({ from, to, domain: topic.domain });
      topic.latest = { from: iso(from), to: iso(to), domain: topic.domain ?? null, totals };
      for (const listener of topic.listeners) listener(topic.latest);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'cannot compute totals for the event streams');
      topic.startedAt = this.#options.now() + RETRY_MS;
      topic.dirty = true;
    }
    topic.busy = false;
    if (topic.dirty && topic.listeners.size > 0) this.#schedule(topic);
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
