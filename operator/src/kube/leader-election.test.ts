import { describe, expect, it } from 'vitest';

import type { ApiClient } from './api-client.ts';
import { ApiUnreachableError, NotLeadingError } from './errors.ts';
import { fencedClient } from './fenced-client.ts';
import { KINDS } from './kinds.ts';
import { LeaderElector } from './leader-election.ts';
import { createOperatorMetrics } from './metrics.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const ref = { namespace: 'ns', name: 'operator' };
const signal = new AbortController().signal;

function world() {
  const clock = new FakeClock();
  return { clock, api: new FakeApi(clock) };
}

function candidate(identity: string, client: ApiClient, clock: FakeClock, leaseMs = 15_000) {
  const { log } = captureLogger();
  const metrics = createOperatorMetrics({ processMetrics: false });
  const elector = new LeaderElector({
    client,
    clock,
    random: () => 0.5,
    log,
    metrics,
    ...ref,
    identity,
    leaseMs,
  });
  let lost = 0;
  elector.onLost(() => void (lost += 1));
  void elector.acquire(signal);
  return { elector, lost: () => lost, metrics };
}

function holder(api: FakeApi): unknown {
  return (api.peek(KINDS.Lease, ref)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity;
}

describe('LeaderElector', () => {
  it('lets one of two lead, in times the API server accepts', async () => {
    const { clock, api } = world();
    const [a, b] = [candidate('a', api, clock), candidate('b', api, clock)];
    await settle();
    expect([a.elector.isLeader(), b.elector.isLeader(), holder(api)]).toEqual([true, false, 'a']);
    expect(api.peek(KINDS.Lease, ref)?.['spec']).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:05.678000Z',
      leaseTransitions: 0,
    });
    await clock.advance(120_000);
    expect([a.elector.isLeader(), b.elector.isLeader(), a.lost()]).toEqual([true, false, 0]);
    expect(await a.metrics.registry.metrics()).toContain('leader_election_master_status{name="operator"} 1');
  });

  it('hands over within two retry periods when the leader leaves', async () => {
    const { clock, api } = world();
    const [a, b] = [candidate('a', api, clock), candidate('b', api, clock)];
    await clock.advance(5000);
    await a.elector.release();
    expect(api.peek(KINDS.Lease, ref)?.['spec']).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
    });
    expect([a.elector.isLeader(), a.lost()]).toEqual([false, 0]);
    await clock.advance(4000);
    expect([b.elector.isLeader(), holder(api)]).toEqual([true, 'b']);
    expect(api.peek(KINDS.Lease, ref)?.['spec']).toMatchObject({ leaseTransitions: 1 });
  });

  it('takes over from a dead leader only after the lease time has passed by its own clock', async () => {
    const { clock, api } = world();
    api.seed({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: ref,
      // Written by a clock that is far behind, or far ahead: it does not matter.
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' },
    });
    const b = candidate('b', api, clock);
    await clock.advance(14_000);
    expect(b.elector.isLeader()).toBe(false);
    await clock.advance(4000);
    expect(b.elector.isLeader()).toBe(true);
  });

  it('does not take over while the holder renews, however wrong its clock is', async () => {
    const { clock, api } = world();
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' };
    api.seed({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec });
    const b = candidate('b', api, clock);
    for (let renewal = 0; renewal < 6; renewal++) {
      await clock.advance(10_000);
      const renewTime = `2020-01-01T00:0${renewal}:01.000000Z`;
      api.edit(KINDS.Lease, ref, (lease) => ({ ...lease, spec: { ...spec, renewTime } }));
    }
    expect(b.elector.isLeader()).toBe(false);
  });

  it('gives up after the renew deadline, before anybody else can lead, and says so once', async () => {
    const { clock, api } = world();
    let down = false;
    const cut = <F extends (...args: never[]) => Promise<unknown>>(call: F): F =>
      ((...args: never[]) => (down ? new Promise(() => undefined) : call(...args))) as F;
    const a = candidate(
      'a',
      {
        ...fencedClient(api, () => true),
        replace: cut(api.replace.bind(api)),
        get: cut(api.get.bind(api)),
      },
      clock,
    );
    await clock.advance(0);
    const b = candidate('b', api, clock);
    await clock.advance(1000);
    down = true;
    await clock.advance(8999);
    expect([a.elector.isLeader(), a.lost()]).toEqual([true, 0]);
    await clock.advance(1);
    expect([a.elector.isLeader(), a.lost(), b.elector.isLeader()]).toEqual([false, 1, false]);
    await clock.advance(20_000);
    expect([a.lost(), b.elector.isLeader()]).toEqual([1, true]);
    expect(await a.metrics.registry.metrics()).toContain('leader_election_master_status{name="operator"} 0');
  });

  it('goes on leading through failures that end before the deadline', async () => {
    const { clock, api } = world();
    const a = candidate('a', api, clock);
    await settle();
    for (let failure = 0; failure < 3; failure++) api.failNext('replace', new ApiUnreachableError('down'));
    await clock.advance(9999);
    expect([a.elector.isLeader(), a.lost()]).toEqual([true, 0]);
    await clock.advance(20_000);
    expect([a.elector.isLeader(), a.lost()]).toEqual([true, 0]);
  });

  it('writes nothing after it was stopped for longer than the deadline, even before a timer tells', async () => {
    const { clock, api } = world();
    const a = candidate('a', api, clock);
    await settle();
    const client = fencedClient(api, () => a.elector.isLeader());
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ns', name: 'x' } };
    await client.create(KINDS.ConfigMap, configMap);
    clock.freeze(10_000);
    await expect(
      client.apply(KINDS.ConfigMap, configMap, { fieldManager: 'm', force: true }),
    ).rejects.toBeInstanceOf(NotLeadingError);
    await client.get(KINDS.ConfigMap, configMap.metadata);
    await clock.advance(1);
    expect(a.lost()).toBe(1);
  });

  it('gives up at once when it finds another holder', async () => {
    const { clock, api } = world();
    const a = candidate('a', api, clock);
    await settle();
    api.edit(KINDS.Lease, ref, (lease) => ({
      ...lease,
      spec: { ...(lease['spec'] as object), holderIdentity: 'thief' },
    }));
    await clock.advance(2000);
    expect([a.elector.isLeader(), a.lost(), holder(api)]).toEqual([false, 1, 'thief']);
  });

  it('makes a deleted lease anew; who waits for it does not use the gap', async () => {
    const { clock, api } = world();
    const a = candidate('a', api, clock);
    await clock.advance(1000);
    const b = candidate('b', api, clock);
    await clock.advance(1500);
    api.remove(KINDS.Lease, ref);
    await clock.advance(1000);
    expect([api.requests.at(-1)?.verb, b.elector.isLeader()]).toEqual(['get', false]);
    await clock.advance(30_000);
    expect([a.elector.isLeader(), b.elector.isLeader(), a.lost(), holder(api)]).toEqual([
      true,
      false,
      0,
      'a',
    ]);
  });

  it('lets one win when two take at the same moment', async () => {
    const { clock, api } = world();
    const spec = { holderIdentity: '', leaseDurationSeconds: 1 };
    api.seed({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec });
    const [a, b] = [candidate('a', api, clock), candidate('b', api, clock)];
    await clock.advance(10_000);
    expect([a.elector.isLeader(), b.elector.isLeader()].filter(Boolean)).toHaveLength(1);
  });

  it('scales its times with the duration of the lease', async () => {
    const { clock, api } = world();
    const dead = { holderIdentity: 'dead', leaseDurationSeconds: 3 };
    api.seed({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec: dead });
    const a = candidate('a', api, clock, 3000);
    await clock.advance(3500);
    expect(api.peek(KINDS.Lease, ref)?.['spec']).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 3,
    });
    clock.freeze(2000);
    expect(a.elector.isLeader()).toBe(false);
  });

  it('does not mind the wall clock being set', async () => {
    const { clock, api } = world();
    const [a, b] = [candidate('a', api, clock), candidate('b', api, clock)];
    await settle();
    clock.jumpWall(600_000);
    await clock.advance(5000);
    clock.jumpWall(-1_200_000);
    await clock.advance(30_000);
    expect([a.elector.isLeader(), b.elector.isLeader()]).toEqual([true, false]);
  });
});
