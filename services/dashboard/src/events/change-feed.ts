import type { RequestSummary } from '@claude-nexus/api-contract';
import { compareChangeCursors } from '@claude-nexus/database';
import type { Logger } from '@claude-nexus/runtime';
import type { ChangePage, DashboardStore } from '../store.ts';
import { frame } from './frames.ts';

/** A request that is new or changed, with the event that tells of it, made once for all listeners. */
export interface FeedEvent {
  readonly position: string;
  readonly summary: RequestSummary;
  readonly bytes: Buffer;
}

export interface FeedListener {
  /** Called once per page with the events of it, in order. */
  events(events: readonly FeedEvent[]): void;
  /** Changes were missed: what is known may be out of date. */
  reset(): void;
}

export interface ChangeFeedOptions {
  readonly store: Pick<DashboardStore, 'currentPosition' | 'readChanges' | 'findSummaries'>;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Changes read at once. */
export const PAGE_SIZE = 500;
/** Events kept for clients that come back. */
const KEPT_EVENTS = 2_000;
/** A doorbell rings at commit, but a change shows only when all older transactions have ended: look again. */
const ECHO_MS = [100, 500] as const;
/** The doorbell rings every five seconds at least: not read for longer than this, changes may have gone unnoticed. */
const STALE_MS = 15_000;

/** The one reader of the change feed in this process; everybody else listens to it. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #listeners = new Set<FeedListener>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #position: string | undefined;
  #version = 0;
  #recent: FeedEvent[] = [];
  #recentFrom: string | undefined;
  #readAt: number | undefined;
  #reading: Promise<void> | undefined;
  #rang = false;
  #stopped = false;
  #failing = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Everything up to here was handed to the listeners; undefined until the first successful read. */
  get position(): string | undefined {
    return this.#position;
  }

  /** Goes up with every change; undefined while changes may go unnoticed. */
  get version(): number | undefined {
    return this.state === 'up' ? this.#version : undefined;
  }

  /** Whether the database answered lately. */
  get state(): 'up' | 'down' | 'unknown' {
    if (this.#failing) return 'down';
    if (this.#readAt === undefined) return 'unknown';
    return this.#options.now() - this.#readAt < STALE_MS ? 'up' : 'down';
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#reading;
  }

  /** Something may have been committed; nothing happens before the first ring. */
  ring(): void {
    if (this.#stopped) return;
    const before = this.#version;
    void this.read().then(() => this.#echo(before, 0));
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events after a position, when all of them are still known here. */
  since(position: string): readonly FeedEvent[] | undefined {
    if (this.#recentFrom === undefined || compareChangeCursors(position, this.#recentFrom) < 0)
      return undefined;
    return this.#recent.filter((event) => compareChangeCursors(event.position, position) > 0);
  }

  /** The events of a page of changes: the present state of each request, once, at its last position. */
  async eventsOf(page: ChangePage): Promise<FeedEvent[]> {
    const positions = new Map<string, string>();
    for (const { requestId, position } of page.changes) {
      positions.delete(requestId);
      positions.set(requestId, position);
    }
    if (positions.size === 0) return [];
    const summaries = await this.#options.store.findSummaries([...positions.keys()]);
    const byId = new Map(summaries.map((summary) => [summary.id, summary]));
    return [...positions].flatMap(([id, position]) => {
      const summary = byId.get(id);
      return summary === undefined ? [] : [{ position, summary, bytes: frame('request', summary, position) }];
    });
  }

  /** Reads until nothing is left. Calls during a read lead to one more read after it. Never rejects. */
  read(): Promise<void> {
    this.#rang = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#rang && !this.#stopped) {
      this.#rang = false;
      try {
        await this.#drain();
        this.#succeeded();
      } catch (error) {
        this.#failed(error);
        return;
      }
    }
  }

  async #drain(): Promise<void> {
    const { store } = this.#options;
    this.#position ??= await this.#begin();
    let more = true;
    while (more && !this.#stopped) {
      const page = await store.readChanges(this.#position, PAGE_SIZE);
      if (page === undefined) return this.#startOver(await store.currentPosition());
      this.#publish(await this.eventsOf(page), page);
      more = page.more;
    }
  }

  async #begin(): Promise<string> {
    const position = await this.#options.store.currentPosition();
    this.#recentFrom = position;
    return position;
  }

  #publish(events: FeedEvent[], page: ChangePage): void {
    if (page.changes.length > 0) this.#version += 1;
    this.#position = page.position;
    this.#recent.push(...events);
    const excess = this.#recent.length - KEPT_EVENTS;
    if (excess > 0) this.#recentFrom = this.#recent.splice(0, excess).at(-1)?.position;
    if (events.length > 0) for (const listener of this.#listeners) listener.events(events);
  }

  /** This reader fell behind what the feed keeps. */
  #startOver(position: string): void {
    this.#version += 1;
    this.#position = position;
    this.#recent = [];
    this.#recentFrom = position;
    for (const listener of this.#listeners) listener.reset();
  }

  #echo(before: number, index: number): void {
    const delay = ECHO_MS[index];
    if (delay === undefined || this.#stopped || this.#version !== before) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.read().then(() => this.#echo(before, index + 1));
    }, delay);
    this.#timers.add(timer);
  }

  #succeeded(): void {
    if (this.#failing) this.#options.logger.info({}, 'the change feed can be read again');
    this.#failing = false;
    this.#readAt = this.#options.now();
  }

  #failed(error: unknown): void {
    if (!this.#failing) this.#options.logger.warn({ err: error }, 'cannot read the change feed');
    this.#failing = true;
  }
}
