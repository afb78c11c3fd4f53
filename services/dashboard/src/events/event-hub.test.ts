import { createLogger } from '@claude-nexus/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeStore } from '../testing/fake-store.ts';
import { requestId, START, summary } from '../testing/fixtures.ts';
import { ChangeFeed } from './change-feed.ts';
import { EventHub, HEARTBEAT_MS } from './event-hub.ts';
import type { Subscription } from './event-hub.ts';
import { MAX_WAITING_BYTES } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import { StatsPublisher } from './stats-publisher.ts';

interface Received {
  readonly id: string;
  readonly event: string;
  readonly data: { id?: string; reason?: string; totals?: { requests: number }; domain?: string | null };
}

const logger = createLogger({ name: 'test', level: 'silent' });
const now = (): number => Date.now();

let store: FakeStore;
let feed: ChangeFeed;
let hub: EventHub;
let dropped = 0;

beforeEach(async () => {
  vi.useFakeTimers({ now: START });
  dropped = 0;
  store = new FakeStore();
  ({ feed, hub } = replica());
  await feed.read();
});

afterEach(async () => {
  hub.close();
  await feed.stop();
  vi.useRealTimers();
});

function countDrop(): void {
  dropped += 1;
}

/** Another process with the same database. */
function replica(): { feed: ChangeFeed; hub: EventHub } {
  const feed = new ChangeFeed({ store, logger, now });
  const stats = new StatsPublisher({ store, logger, now });
  return {
    feed,
    hub: new EventHub({ feed, stats, store, logger, now, maxStreams: 3, onDropped: countDrop }),
  };
}

/** Opens a stream and gathers what it receives. */
async function open(
  other: Partial<Subscription> = {},
  on = hub,
): Promise<{ stream: EventStream; received: Received[] }> {
  const stream = on.open({ domain: undefined, lastEventId: undefined, expiresAt: undefined, ...other });
  const received: Received[] = [];
  stream.on('data', (bytes: Buffer) => received.push(...parse(bytes)));
  await vi.advanceTimersByTimeAsync(0);
  return { stream, received };
}

function parse(bytes: Buffer): Received[] {
  return bytes
    .toString()
    .split('\n\n')
    .filter((block) => block.startsWith('id: '))
    .map((block) => {
      const [, id = '', event = '', data = ''] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { id, event, data: JSON.parse(data) as Received['data'] };
    });
}

function requestsIn(received: readonly Received[]): (string | undefined)[] {
  return received.filter(({ event }) => event === 'request').map(({ data }) => data.id);
}

function eventsIn(received: readonly Received[], name: string): Received[] {
  return received.filter(({ event }) => event === name);
}

describe('a new stream', () => {
  it('starts at the present with a position to come back to', async () => {
    store.put({ summary: summary(1) });
    await feed.read();
    const { received } = await open();
    expect(received[0]).toMatchObject({ event: 'heartbeat', id: feed.position });
    expect(requestsIn(received)).toEqual([]);
  });

  it('gets every change once, as it is when it is sent, under its position', async () => {
    const { received } = await open();
    store.put({ summary: summary(1, { outcome: 'pending' }) });
    const position = store.put({ summary: summary(1) });
    store.put({ summary: summary(2) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(eventsIn(received, 'request')).toMatchObject([
      { id: position, data: { id: requestId(1), outcome: 'completed' } },
      { data: { id: requestId(2) } },
    ]);
  });

  it('gets events in the order of their positions', async () => {
    const { received } = await open();
    for (const n of [1, 2, 1]) store.put({ summary: summary(n) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(requestsIn(received)).toEqual([2, 1].map(requestId));
  });

  it('gets only its domain', async () => {
    const { received } = await open({ domain: 'b.example' });
    store.put({ summary: summary(1) });
    store.put({ summary: summary(2, { domain: 'b.example' }) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(requestsIn(received)).toEqual([requestId(2)]);
  });

  it('is refused beyond the limit, before the database was reached and while draining', async () => {
    const fresh = replica();
    expect(() => fresh.hub.open({ domain: undefined, lastEventId: undefined, expiresAt: undefined })).toThrow(
      /database/,
    );
    fresh.hub.close();
    for (let n = 0; n < 3; n += 1) await open();
    await expect(open()).rejects.toThrow(/no further/);
    hub.close();
    await expect(open()).rejects.toThrow(/no further/);
  });

  it('ends with the session', async () => {
    const { stream } = await open({ expiresAt: START + HEARTBEAT_MS - 1 });
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(stream.readableEnded).toBe(true);
    expect(hub.size).toBe(0);
  });
});

describe('resuming', () => {
  it('sends what was missed, from memory', async () => {
    const { received, stream } = await open();
    store.put({ summary: summary(1) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    stream.destroy();
    const last = eventsIn(received, 'request').at(-1)?.id;
    store.put({ summary: summary(2) });
    await feed.read();
    store.calls.length = 0;
    const again = await open({ lastEventId: last });
    expect(requestsIn(again.received)).toEqual([requestId(2)]);
    expect(store.calls).not.toContain('readChanges');
  });

  it('works on another replica, from the database, without a gap to what follows', async () => {
    const positions = [1, 2, 3].map((n) => store.put({ summary: summary(n) }));
    await feed.read();
    const other = replica();
    await other.feed.read();
    const { received } = await open({ lastEventId: positions[0] }, other.hub);
    store.put({ summary: summary(4) });
    await other.feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(requestsIn(received)).toEqual([2, 3, 4].map(requestId));
    other.hub.close();
  });

  it.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'loses nothing that is committed while it catches up (%i turns later)',
    async (turns) => {
      const positions = [1, 2].map((n) => store.put({ summary: summary(n) }));
      const other = replica();
      await other.feed.read();
      const stream = other.hub.open({ domain: undefined, lastEventId: positions[0], expiresAt: undefined });
      const received: Received[] = [];
      stream.on('data', (bytes: Buffer) => received.push(...parse(bytes)));
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      store.put({ summary: summary(3) });
      await other.feed.read();
      await vi.advanceTimersByTimeAsync(10);
      expect(new Set(requestsIn(received))).toEqual(new Set([2, 3].map(requestId)));
      other.hub.close();
    },
  );

  it('works on a replica that has not read that far yet', async () => {
    const position = store.put({ summary: summary(1) });
    const { received } = await open({ lastEventId: position });
    expect(eventsIn(received, 'reset')).toEqual([]);
    store.put({ summary: summary(2) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(requestsIn(received)).toEqual([requestId(2)]);
  });

  it.each([
    ['999-9', 'unknown-position'],
    ['nonsense', 'unknown-position'],
    ['-1-0', 'unknown-position'],
    ['1-0; drop table', 'unknown-position'],
    ['0-0', 'too-old'],
  ])('from %j begins with a reset: %s', async (lastEventId, reason) => {
    store.put({ summary: summary(1) });
    await feed.read();
    store.expireChanges();
    const other = replica();
    await other.feed.read();
    const { received } = await open({ lastEventId }, other.hub);
    expect(received[0]).toMatchObject({ event: 'reset', id: other.feed.position, data: { reason } });
    store.put({ summary: summary(2) });
    await other.feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(requestsIn(received)).toEqual([requestId(2)]);
    other.hub.close();
  });

  it('works with a position another replica began at', async () => {
    store.put({ summary: summary(1) });
    await feed.read();
    const { received } = await open({ lastEventId: '102-0' });
    store.put({ summary: summary(2) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(eventsIn(received, 'reset')).toEqual([]);
    expect(requestsIn(received)).toEqual([requestId(2)]);
  });

  it('sends a reset instead of an endless past', async () => {
    for (let n = 0; n < 5_100; n += 1) store.put({ summary: summary(n) });
    const other = replica();
    await other.feed.read();
    const { received } = await open({ lastEventId: '0-0' }, other.hub);
    await vi.advanceTimersByTimeAsync(10);
    expect(eventsIn(received, 'reset')).toMatchObject([{ data: { reason: 'too-old' } }]);
    other.hub.close();
  });

  it('closes the stream when the database fails on the way, so that the client comes back', async () => {
    store.put({ summary: summary(1) });
    const other = replica();
    await other.feed.read();
    store.failure = new Error('gone');
    const { stream } = await open({ lastEventId: '0-0' }, other.hub);
    expect(stream.destroyed).toBe(true);
    other.hub.close();
  });
});

describe('the feed', () => {
  it('tells everybody to start over when it fell behind itself', async () => {
    const { received } = await open();
    store.put({ summary: summary(1) });
    store.put({ summary: summary(2) });
    store.expireChanges();
    store.put({ summary: summary(3) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(eventsIn(received, 'reset')).toMatchObject([{ data: { reason: 'too-old' } }]);
  });

  it('is read at doorbells, and again shortly after while nothing shows', async () => {
    const reads = (): number => store.calls.filter((name) => name === 'readChanges').length;
    const before = reads();
    feed.ring();
    await vi.advanceTimersByTimeAsync(0);
    expect(reads() - before).toBe(1);
    store.put({ summary: summary(1) });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reads() - before).toBe(2);
    expect(feed.version).toBe(1);
  });

  it('counts as unread after a while without doorbells', async () => {
    await vi.advanceTimersByTimeAsync(15_000);
    expect(feed.version).toBeUndefined();
    feed.ring();
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.version).toBe(0);
  });

  it('survives an outage', async () => {
    const { received } = await open();
    store.failure = new Error('down');
    await feed.read();
    expect(feed.state).toBe('down');
    store.put({ summary: summary(1) });
    store.failure = undefined;
    await feed.read();
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.state).toBe('up');
    expect(requestsIn(received)).toEqual([requestId(1)]);
  });
});

describe('heartbeats and totals', () => {
  it('come with the position, so that a quiet domain does not fall behind', async () => {
    const { received } = await open({ domain: 'quiet.example' });
    const position = store.put({ summary: summary(1) });
    await feed.read();
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(eventsIn(received, 'heartbeat').at(-1)?.id).toBe(position);
  });

  it('are sent at once, then at most once a second, and only after changes', async () => {
    const { received } = await open();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(eventsIn(received, 'stats')).toMatchObject([{ data: { domain: null, totals: { requests: 0 } } }]);
    for (let n = 0; n < 50; n += 1) {
      store.put({ summary: summary(n) });
      await feed.read();
      await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    const stats = eventsIn(received, 'stats');
    expect(stats.length).toBeLessThanOrEqual(1 + 4);
    expect(stats.at(-1)?.data.totals?.requests).toBe(50);
  });

  it('are computed once for everybody who listens', async () => {
    await open();
    await open();
    await open();
    expect(store.calls.filter((name) => name === 'usageTotals')).toHaveLength(1);
  });
});

describe('a slow client', () => {
  it('is dropped alone, and can come back', async () => {
    const slow = hub.open({ domain: undefined, lastEventId: undefined, expiresAt: undefined });
    const { received } = await open();
    const wide = { errorType: 'x'.repeat(10_000) };
    for (let n = 0; n * 10_000 < MAX_WAITING_BYTES * 1.2; n += 1) {
      store.put({ summary: summary(n, wide) });
      await feed.read();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(slow.destroyed).toBe(true);
    expect(dropped).toBe(1);
    expect(requestsIn(received).length).toBeGreaterThan(100);
  });
});
