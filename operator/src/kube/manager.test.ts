import { Shutdown } from '@claude-nexus/runtime';
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';

import { Cache } from './cache.ts';
import { Controller } from './controller.ts';
import { ApiError, ApiUnreachableError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { LeaderElector } from './leader-election.ts';
import { Manager } from './manager.ts';
import type { ManagerOptions } from './manager.ts';
import { createOperatorMetrics } from './metrics.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

const MINUTE = 60_000;
const lease = { namespace: 'ns', name: 'operator' };
const MONITORING = 'monitoring.coreos.com/v1';

function harness(change: Partial<ManagerOptions> = {}) {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log } = captureLogger();
  const done: string[] = [];
  const exits: number[] = [];
  const host = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  const shutdown = new Shutdown({ logger: log, deadlineMs: 20_000, host });
  const common = { client: api, clock, random: () => 0.5, log, metrics };
  const cache = new Cache({ log, metrics });
  const queue = new WorkQueue({ name: 'c', clock, metrics });
  cache.onChange((kind, { metadata }) => queue.add(`${kind.kind} ${metadata.namespace}/${metadata.name}`));
  const gate = Promise.withResolvers<void>();
  const reconcile = async (key: string): Promise<object> => {
    done.push(`begin ${key}`);
    if (key.endsWith('slow')) await gate.promise;
    done.push(`end ${key}`);
    return {};
  };
  const elector = new LeaderElector({ ...common, ...lease, identity: 'me', leaseMs: 15_000 });
  const manager = new Manager({
    ...common,
    cache,
    watches: [
      { kind: KINDS.ClaudeNexus },
      { kind: KINDS.ConfigMap, labelSelector: 'mine=yes' },
      { kind: KINDS.ServiceMonitor, optional: true },
    ],
    namespaces: [],
    elector,
    controllers: [new Controller({ ...common, name: 'c', queue, concurrency: 2, reconcile })],
    shutdown,
    ...change,
  });
  return { clock, api, cache, manager, shutdown, exits, done, elector, release: gate.resolve };
}

function owner(name: string, namespace = 'ns') {
  return { apiVersion: 'claudenexus.dev/v1alpha1', kind: 'ClaudeNexus', metadata: { namespace, name } };
}

function holder(api: FakeApi): unknown {
  return (api.peek(KINDS.Lease, lease)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;
}

describe('Manager', () => {
  it('runs the hook, fills the caches, leads, and only then works', async () => {
    const order: string[] = [];
    const app = harness({ beforeStart: () => Promise.resolve(void order.push('hook')) });
    app.api.seed(owner('a'));
    app.api.failNext('list', new ApiUnreachableError('down'), KINDS.ConfigMap);
    await app.manager.start();
    await settle();
    expect([order, app.manager.readyz(), app.elector.isLeader(), app.done]).toEqual([
      ['hook'],
      'caches are not filled',
      false,
      [],
    ]);
    await app.clock.advance(1000);
    expect([app.manager.readyz(), app.elector.isLeader()]).toEqual([undefined, true]);
    expect(app.done).toEqual(['begin ClaudeNexus ns/a', 'end ClaudeNexus ns/a']);
  });

  it('waits for an API server that is away, and gives up when the hook is refused', async () => {
    const errors: Error[] = [
      new ApiUnreachableError('down'),
      new ApiError('busy', { status: 503, reason: 'ServiceUnavailable' }),
    ];
    let calls = 0;
    const app = harness({
      beforeStart: () => {
        calls += 1;
        const error = errors.shift();
        return error === undefined ? Promise.resolve() : Promise.reject(error);
      },
    });
    const started = app.manager.start();
    await app.clock.advance(800 + 1600);
    await started;
    expect(calls).toBe(3);
    const forbidden = new ApiError('no', { status: 403, reason: 'Forbidden' });
    const refused = harness({ beforeStart: () => Promise.reject(forbidden) });
    await expect(refused.manager.start()).rejects.toBe(forbidden);
    expect(refused.api.requests).toEqual([]);
  });

  it('does not work while somebody else leads', async () => {
    const app = harness();
    app.api.seed(owner('a'));
    const spec = { holderIdentity: 'other', leaseDurationSeconds: 15 };
    app.api.seed({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease, spec });
    await app.manager.start();
    await app.clock.advance(10_000);
    expect([app.manager.readyz(), app.done]).toEqual([undefined, []]);
  });

  it('stops in order: lets the reconcile end, then frees the lease, then stops to watch', async () => {
    const order: string[] = [];
    const app = harness({
      afterControllers: () => Promise.resolve(void order.push(`drain ${String(holder(app.api))}`)),
    });
    app.api.seed(owner('slow'));
    await app.manager.start();
    await app.clock.advance(200);
    const stopped = app.shutdown.request('SIGTERM');
    await settle();
    app.api.seed(owner('late'));
    expect([app.done, holder(app.api), app.manager.readyz()]).toEqual([
      ['begin ClaudeNexus ns/slow'],
      'me',
      'shutting down',
    ]);
    app.release();
    await stopped;
    expect(app.done).toEqual(['begin ClaudeNexus ns/slow', 'end ClaudeNexus ns/slow']);
    expect([order, holder(app.api), app.api.watches, app.exits]).toEqual([['drain me'], '', 0, [0]]);
    expect(app.clock.pending).toEqual([]);
  });

  it('ends with exit code 1 when leadership is lost, and does not free what is another one’s', async () => {
    const app = harness();
    await app.manager.start();
    await app.clock.advance(200);
    app.api.edit(KINDS.Lease, lease, (object) => ({ ...object, spec: { holderIdentity: 'thief' } }));
    await app.clock.advance(2000);
    await app.shutdown.request('joined');
    expect([app.exits, holder(app.api)]).toEqual([[1], 'thief']);
  });

  it('picks an optional kind up when its API appears, and forgets it when the API goes', async () => {
    let changes = 0;
    const app = harness({ onKindsChange: () => void (changes += 1) });
    await app.manager.start();
    await app.clock.advance(200);
    expect([app.manager.readyz(), app.manager.has(KINDS.ServiceMonitor)]).toEqual([undefined, false]);
    app.api.missing.delete(MONITORING);
    app.api.seed({
      apiVersion: MONITORING,
      kind: 'ServiceMonitor',
      metadata: { namespace: 'ns', name: 'm' },
    });
    await app.clock.advance(2 * MINUTE);
    expect([app.manager.has(KINDS.ServiceMonitor), changes]).toEqual([true, 1]);
    expect(app.cache.list(KINDS.ServiceMonitor, {})).toHaveLength(1);
    app.api.missing.add(MONITORING);
    await app.clock.advance(2 * MINUTE);
    expect([app.manager.has(KINDS.ServiceMonitor), changes]).toEqual([false, 2]);
    expect([app.cache.list(KINDS.ServiceMonitor, {}), app.manager.readyz()]).toEqual([[], undefined]);
  });

  it('is not held up by an optional kind it may not see', async () => {
    const app = harness();
    app.api.missing.delete(MONITORING);
    app.api.failNext('list', new ApiError('no', { status: 403, reason: 'Forbidden' }), KINDS.ServiceMonitor);
    await app.manager.start();
    await app.clock.advance(200);
    expect([app.manager.readyz(), app.manager.has(KINDS.ServiceMonitor)]).toEqual([undefined, false]);
    await app.clock.advance(2 * MINUTE);
    expect(app.manager.has(KINDS.ServiceMonitor)).toBe(true);
  });

  it('takes kinds it may not ask for as absent', async () => {
    const app = harness();
    const forbidden = new ApiError('no', { status: 403, reason: 'Forbidden' });
    app.api.kindsOf = () => Promise.reject(forbidden);
    await app.manager.start();
    await app.clock.advance(200);
    expect([app.manager.readyz(), app.manager.has(KINDS.ServiceMonitor)]).toEqual([undefined, false]);
  });

  it('watches namespace by namespace when told to, and nothing across them', async () => {
    const app = harness({
      namespaces: ['a', 'b'],
      watches: [{ kind: KINDS.ClaudeNexus }, { kind: KINDS.StorageClass }],
    });
    for (const namespace of ['a', 'b', 'c']) app.api.seed(owner('x', namespace));
    await app.manager.start();
    await app.clock.advance(200);
    expect(app.cache.list(KINDS.ClaudeNexus, {}).map(({ metadata }) => metadata.namespace)).toEqual([
      'a',
      'b',
    ]);
    expect([app.manager.has(KINDS.ClaudeNexus), app.manager.has(KINDS.StorageClass)]).toEqual([true, false]);
    expect(app.api.requests.filter(({ key }) => key === '*')).toEqual([]);
  });

  it('is not alive any more when nothing was heard for ten minutes', async () => {
    const app = harness();
    await app.manager.start();
    await app.clock.advance(200);
    expect(app.manager.livez()).toBeUndefined();
    app.clock.freeze(10 * MINUTE);
    expect(app.manager.livez()).toBe('nothing heard from the API server for 600 s');
  });

  it('takes another time to be unwell after', async () => {
    const app = harness({ livenessMs: MINUTE });
    await app.manager.start();
    await app.clock.advance(200);
    app.clock.freeze(MINUTE);
    expect(app.manager.livez()).toContain('nothing heard');
  });
});
