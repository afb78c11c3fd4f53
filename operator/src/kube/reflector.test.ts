import { afterEach, describe, expect, it } from 'vitest';

import { Cache } from './cache.ts';
import { ApiError, ApiUnreachableError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { createOperatorMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const MINUTE = 60_000;
const kind = KINDS.ConfigMap;
const EXPIRED = { status: 410, reason: 'Expired' };
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function configMap(name: string, labels: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'ns', name, labels },
    data: { k: name },
  };
}

function harness(options: Partial<ReflectorOptions> = {}) {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log, text } = captureLogger();
  const cache = new Cache({ log, metrics });
  const reflector = new Reflector({
    client: api,
    kind,
    sink: cache.sink(kind),
    clock,
    random: () => 0.5,
    log,
    metrics,
    ...options,
  });
  cache.addSource(() => reflector.hasSynced());
  const stop = new AbortController();
  stops.push(stop);
  const start = (): Promise<void> => reflector.run(stop.signal);
  const names = (): string[] => cache.list(kind, {}).map(({ metadata }) => metadata.name);
  const verbs = (): string[] => api.requests.map(({ verb }) => verb);
  const counter = async (name: string): Promise<number> => {
    const found = await metrics.registry.getSingleMetric(name)?.get();
    return found?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
  };
  return { clock, api, cache, reflector, stop, start, names, verbs, counter, text };
}

describe('Reflector', () => {
  it('lists in pages, then follows what is added, changed and deleted', async () => {
    const { api, start, names, cache, verbs } = harness();
    for (let index = 0; index < 501; index++) api.seed(configMap(`n${index}`));
    void start();
    expect(cache.hasSynced()).toBe(false);
    await settle();
    expect(cache.hasSynced()).toBe(true);
    expect([names().length, verbs()]).toEqual([501, ['list', 'list', 'watch']]);
    api.seed(configMap('new'));
    api.remove(kind, { namespace: 'ns', name: 'n0' });
    api.edit(kind, { namespace: 'ns', name: 'n1' }, (object) => ({ ...object, data: { k: 'other' } }));
    expect(names()).toContain('new');
    expect(names()).not.toContain('n0');
    expect(cache.get(kind, { namespace: 'ns', name: 'n1' })?.['data']).toEqual({ k: 'other' });
  });

  it('takes the end of a watch for normal and goes on from the last version, bookmarks included', async () => {
    const { api, clock, start, verbs } = harness();
    void start();
    await settle();
    api.bookmark();
    await clock.advance(270_000);
    const bodies = api.requests.filter(({ verb }) => verb === 'watch').map(({ body }) => body);
    expect(bodies).toMatchObject([
      { resourceVersion: '1000', timeoutSeconds: 270 },
      { resourceVersion: '1001' },
    ]);
    expect(verbs()).toEqual(['list', 'watch', 'watch']);
  });

  it('lists again at once when its version has expired, and waits when that happens over and over', async () => {
    const { api, clock, start, verbs } = harness();
    void start();
    await settle();
    api.endWatches(new ApiError('gone', EXPIRED));
    await settle();
    expect(verbs()).toEqual(['list', 'watch', 'list', 'watch']);
    api.endWatches(new ApiError('gone', EXPIRED));
    await settle();
    expect(verbs()).toHaveLength(4);
    await clock.advance(1600);
    expect(verbs()).toEqual(['list', 'watch', 'list', 'watch', 'list', 'watch']);
  });

  it('waits longer and longer while nothing works: 0.8 s, doubled up to 30 s', async () => {
    const { api, clock, start, counter } = harness();
    for (let index = 0; index < 9; index++) api.failNext('list', new ApiUnreachableError('down'));
    void start();
    const waits: number[] = [];
    for (let index = 0; index < 8; index++) {
      await settle();
      const [next = 0] = clock.pending;
      waits.push(next);
      await clock.advance(next);
    }
    expect(waits).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(await counter('claudenexus_operator_reflector_failures_total')).toBe(9);
  });

  it('waits as long as the server asks', async () => {
    const { api, clock, start } = harness();
    api.failNext(
      'list',
      new ApiError('busy', { status: 429, reason: 'TooManyRequests', retryAfterSeconds: 9 }),
    );
    void start();
    await settle();
    expect(clock.pending).toEqual([9000]);
  });

  it('does not ask again at once when a watch ends at once', async () => {
    const { api, clock, start, verbs } = harness();
    void start();
    await settle();
    api.endWatches();
    await settle();
    expect([verbs(), clock.pending]).toEqual([['list', 'watch'], [800]]);
  });

  it('gives up a watch that is silent for longer than the server lets it live', async () => {
    // Time stands still for this server, so it never ends a watch.
    const client = new FakeApi(new FakeClock());
    const { clock, start, reflector, text } = harness({ client });
    void start();
    await clock.advance(200_000);
    client.bookmark();
    await clock.advance(299_000);
    expect(reflector.contactAgeMs()).toBe(299_000);
    expect(text()).not.toContain('nothing heard');
    await clock.advance(1000);
    expect(text()).toContain('watch ConfigMap: nothing heard in time');
    await clock.advance(800);
    expect(client.requests.map(({ verb }) => verb)).toEqual(['list', 'watch', 'list', 'watch']);
  });

  it('notices a silent watch sooner when watches are short', async () => {
    const client = new FakeApi(new FakeClock());
    const { clock, start } = harness({ client, watchSeconds: { min: 2, max: 2 } });
    void start();
    await clock.advance(4000);
    expect(client.requests.map(({ verb }) => verb)).toEqual(['list', 'watch']);
    await clock.advance(800);
    expect(client.requests.map(({ verb }) => verb)).toEqual(['list', 'watch', 'list', 'watch']);
  });

  it('lists again now and then, sooner when told so', async () => {
    const { clock, start, verbs } = harness({ relistMs: 7000 });
    void start();
    await clock.advance(6900);
    expect(verbs()).toEqual(['list', 'watch']);
    await clock.advance(200);
    expect(verbs()).toEqual(['list', 'watch', 'list', 'watch']);
  });

  it.each([
    ['reset', new ApiUnreachableError('reset')],
    ['starting, not serving yet', new ApiError('starting', { status: 503, reason: 'ServiceUnavailable' })],
    ['starting, without its roles yet', new ApiError('no', { status: 403, reason: 'Forbidden' })],
    ['going, and ends watches that have begun a moment ago', undefined],
  ])(
    'lists again when the server may have been away, since its state may be an older one: %s',
    async (_, error) => {
      const { api, clock, start } = harness();
      void start();
      await settle();
      api.forgetRequests();
      api.endWatches(error);
      await clock.advance(800);
      expect(api.requests.map(({ verb }) => verb)).toEqual(['list', 'watch']);
    },
  );

  it('repairs with a list what no event told of, and counts it', async () => {
    const { api, clock, start, names, counter } = harness();
    api.seed(configMap('kept'));
    api.seed(configMap('lost'));
    void start();
    await settle();
    api.holdEvents();
    api.seed(configMap('unseen'));
    api.remove(kind, { namespace: 'ns', name: 'lost' });
    api.releaseEvents({ drop: true });
    api.bookmark();
    expect(names()).toEqual(['kept', 'lost']);
    await clock.advance(10 * MINUTE);
    expect(names()).toEqual(['kept', 'unseen']);
    expect(await counter('claudenexus_operator_reflector_missed_events_total')).toBe(2);
  });

  it('counts nothing as missed that changed after the last event', async () => {
    const { api, clock, start, names, counter } = harness();
    void start();
    await settle();
    await clock.advance(10 * MINUTE - 1);
    api.holdEvents();
    api.seed(configMap('late'));
    await clock.advance(1);
    expect(names()).toEqual(['late']);
    expect(await counter('claudenexus_operator_reflector_missed_events_total')).toBe(0);
  });

  it('mirrors one namespace and one selector, and drops what leaves the selector', async () => {
    const { api, start, names } = harness({ namespace: 'ns', labelSelector: 'mine=yes' });
    api.seed(configMap('in', { mine: 'yes' }));
    api.seed(configMap('out'));
    api.seed({ ...configMap('else', { mine: 'yes' }), metadata: { namespace: 'other', name: 'else' } });
    void start();
    await settle();
    expect(names()).toEqual(['in']);
    api.edit(kind, { namespace: 'ns', name: 'in' }, (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: {} },
    }));
    expect(names()).toEqual([]);
  });

  it('ends with the signal, in whatever it is doing', async () => {
    const watching = harness();
    const run = watching.start();
    await settle();
    watching.stop.abort();
    await run;
    const waiting = harness();
    waiting.api.failNext('list', new ApiUnreachableError('down'));
    const other = waiting.start();
    await settle();
    waiting.stop.abort();
    await other;
    const listing = harness();
    listing.api.beforeNext('list', () => listing.stop.abort());
    await listing.start();
    expect([watching.clock.pending, waiting.clock.pending, watching.api.watches]).toEqual([[], [], 0]);
    expect([listing.verbs(), listing.reflector.hasSynced()]).toEqual([['list'], false]);
  });

  it('takes everything out again when told that the API is gone', async () => {
    const { api, start, names, reflector } = harness();
    api.seed(configMap('a'));
    void start();
    await settle();
    reflector.clear();
    expect([names(), reflector.hasSynced()]).toEqual([[], false]);
  });
});
