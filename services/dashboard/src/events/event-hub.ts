import type { ResetEvent } from '@claude-nexus/api-contract';
import { compareChangeCursors, isChangeCursor } from '@claude-nexus/database';
import type { Logger } from '@claude-nexus/runtime';
import { DatabaseUnavailableError, TooManyStreamsError } from '../errors.ts';
import type { DashboardStore } from '../store.ts';
import { PAGE_SIZE } from './change-feed.ts';
import type { ChangeFeed, FeedEvent } from './change-feed.ts';
import { EventStream } from './event-stream.ts';
import { PREAMBLE, frame } from './frames.ts';
import type { StatsPublisher } from './stats-publisher.ts';

export interface EventHubOptions {
  readonly feed: ChangeFeed;
  readonly stats: StatsPublisher;
  readonly store: Pick<DashboardStore, 'readChanges'>;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Streams this process serves at most. */
  readonly maxStreams: number;
  readonly onDropped: () => void;
}

export interface Subscription {
  readonly domain: string | undefined;
  /** Last-Event-ID of a client that comes back. */
  readonly lastEventId: string | undefined;
  /** Epoch milliseconds; undefined for callers with the key. */
  readonly expiresAt: number | undefined;
}

export const HEARTBEAT_MS = 15_000;
/** A client further behind than this many pages reads the lists again, which is cheaper for both. */
const MAX_CATCH_UP_PAGES = 10;

/** All open event streams of this process: brings each up to date, then hands on what the feed brings. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #streams = new Set<EventStream>();
  readonly #attached = new Set<EventStream>();
  readonly #unlisten: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #closed = false;

  constructor(options: EventHubOptions) {
    this.#options = options;
    this.#unlisten = options.feed.listen({
      events: (events) => this.#fanOut(events),
      reset: () => this.#resetAll(),
    });
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** Streams open at the moment. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream. It starts with what came after `lastEventId`, or with a `reset` when that is not known any more.
   *
   * @throws {TooManyStreamsError} when no more are served
   * @throws {DatabaseUnavailableError} when the database has not been reached yet
   */
  open(subscription: Subscription): EventStream {
    const { maxStreams, feed, onDropped, logger } = this.#options;
    if (this.#closed || this.#streams.size >= maxStreams) throw new TooManyStreamsError();
    if (feed.position === undefined) throw new DatabaseUnavailableError();
    const stream = new EventStream({ ...subscription, onDropped });
    this.#streams.add(stream);
    const closed = Promise.withResolvers<void>();
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.#attached.delete(stream);
      closed.resolve();
    });
    stream.send(PREAMBLE);
    this.#begin(stream, subscription.lastEventId, closed.promise).catch((error: unknown) => {
      // The client comes back with the position it has reached.
      logger.debug({ err: error }, 'an event stream could not be brought up to date');
      stream.destroy();
    });
    return stream;
  }

  /** Ends all streams; clients connect again, to another replica or after the restart. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#unlisten();
    for (const stream of this.#streams) stream.finish();
  }

  async #begin(stream: EventStream, lastEventId: string | undefined, closed: Promise<void>): Promise<void> {
    if (lastEventId === undefined) return this.#attach(stream, closed);
    const problem = await this.#catchUp(stream, lastEventId, closed);
    if (problem !== undefined)
      this.#attach(stream, closed, frame('reset', { reason: problem }, this.#position()));
  }

  /** From here on the stream gets what the feed brings, starting with a heartbeat for its position. */
  #attach(stream: EventStream, closed: Promise<void>, first?: Buffer): void {
    if (stream.destroyed || this.#closed) return;
    if (first !== undefined) stream.send(first);
    stream.send(this.#heartbeatBytes());
    this.#attached.add(stream);
    const unlisten = this.#options.stats.listen(stream.domain, (stats) => {
      stream.send(frame('stats', stats, this.#position()));
    });
    void closed.then(unlisten);
  }

  /**
   * Sends what came after a position, then attaches the stream in the same turn, so that no page of the feed falls
   * in between. Otherwise tells why that is not possible.
   */
  async #catchUp(
    stream: EventStream,
    lastEventId: string,
    closed: Promise<void>,
  ): Promise<ResetEvent['reason'] | undefined> {
    const { feed, store } = this.#options;
    if (!isChangeCursor(lastEventId)) return 'unknown-position';
    // Another replica was ahead.
    if (compareChangeCursors(lastEventId, this.#position()) > 0) await feed.read();
    if (compareChangeCursors(lastEventId, this.#position()) > 0) {
      // Still: it counted from a later beginning. The feed brings what follows, if this is the same database.
      if ((await store.readChanges(lastEventId, 1)) === undefined) return 'unknown-position';
      this.#attach(stream, closed);
      return undefined;
    }
    let position = lastEventId;
    for (let pages = 0; pages < MAX_CATCH_UP_PAGES; pages += 1) {
      const known = feed.since(position);
      if (known !== undefined && known.length <= PAGE_SIZE) {
        this.#send(stream, known);
        this.#attach(stream, closed);
        return undefined;
      }
      const page = await store.readChanges(position, PAGE_SIZE);
      if (page === undefined) return 'too-old';
      this.#send(stream, await feed.eventsOf(page));
      position = page.position;
      await stream.drained();
      if (stream.destroyed) return undefined;
    }
    return 'too-old';
  }

  #fanOut(events: readonly FeedEvent[]): void {
    for (const stream of this.#attached) this.#send(stream, events);
    for (const domain of new Set(events.map(({ summary }) => summary.domain)))
      this.#options.stats.changed(domain);
  }

  #resetAll(): void {
    const bytes = frame('reset', { reason: 'too-old' }, this.#position());
    for (const stream of this.#attached) stream.send(bytes);
    this.#options.stats.changed(undefined);
  }

  #beat(): void {
    const now = this.#options.now();
    const bytes = this.#heartbeatBytes();
    for (const stream of this.#attached) {
      if (stream.expiresAt !== undefined && stream.expiresAt <= now) stream.finish();
      else stream.send(bytes);
    }
  }

  #heartbeatBytes(): Buffer {
    return frame('heartbeat', { at: new Date(this.#options.now()).toISOString() }, this.#position());
  }

  #send(stream: EventStream, events: readonly FeedEvent[]): void {
    for (const { summary, bytes } of events) {
      const wanted = stream.domain === undefined || stream.domain === summary.domain;
      if (wanted && !stream.send(bytes)) return;
    }
  }

  #position(): string {
    return this.#options.feed.position ?? '0-0';
  }
}
