import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { FaultProxy } from '../fixtures/control-plane/fault-proxy.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { LoginWatch, pretendedDatabase } from './login-watch.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { ApiRequest } from '../fixtures/control-plane/api-request.ts';

const ROTATE_LOGINS = 'claudenexus.dev/rotate-logins';
const ROTATE_KEY = 'claudenexus.dev/rotate-dashboard-key';

/** One that is killed leaves its Lease held, and the next would wait for its end. */
const ALONE = { LEADER_ELECTION: 'false' };

interface LoginState {
  readonly phase: string;
  readonly active: string;
  readonly enabled: readonly string[];
  readonly passwords: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The writes of a rotation in their order, after each of which the operator is killed. */
const STEPS: readonly (readonly [string, Partial<ApiRequest>])[] = [
  ['the new password is stored', { verb: 'update', name: 'gateway-logins' }],
  ['the Job may read it', { verb: 'apply', name: 'gateway-database', resource: 'secrets' }],
  ['the Job is there', { verb: 'apply', resource: 'jobs' }],
  ['the switch is stored', { verb: 'update', name: 'gateway-logins' }],
  ['the Secret offers the new login', { verb: 'apply', name: 'gateway-database', resource: 'secrets' }],
  ['the proxy rolls', { verb: 'apply', name: 'gateway-proxy', resource: 'deployments' }],
  ['the dashboard rolls', { verb: 'apply', name: 'gateway-dashboard', resource: 'deployments' }],
  ['the end of the old login is stored', { verb: 'update', name: 'gateway-logins' }],
  ['the Secret offers one login', { verb: 'apply', name: 'gateway-database', resource: 'secrets' }],
  ['the Job that locks it is there', { verb: 'apply', resource: 'jobs' }],
  ['the end is stored', { verb: 'update', name: 'gateway-logins' }],
];

/** A dozen starts of the operator, on a machine with other things to do. */
const LONG_MS = 300_000;

const stateOf = async (gateway: Gateway): Promise<LoginState> =>
  JSON.parse((await gateway.texts('gateway-logins'))['state.json'] ?? '{}') as LoginState;

const untilHandled = (gateway: Gateway, value: string) =>
  gateway.untilAt(gateway.path, 'status.rotations.logins', (handled) => handled === value);

const isDraining = ({ metadata }: TestObject): boolean => metadata.deletionTimestamp !== undefined;

describe('a rotation', () => {
  let proxy: FaultProxy | undefined;
  let operator: OperatorUnderTest | undefined;
  const lab = setUp();
  afterEach(async () => {
    await operator?.stop();
    await proxy?.stop();
    [operator, proxy] = [undefined, undefined];
  });

  /**
   * From now on, kills the operator once a write has been carried out, before it hears of that.
   * @returns waits for it
   */
  const killAfter = (write: Partial<ApiRequest>, what: string): (() => Promise<void>) => {
    const killed = Promise.withResolvers<void>();
    const after = async (): Promise<void> => {
      await operator?.stop('SIGKILL');
      killed.resolve();
    };
    const rule = proxy?.on(write, { kind: 'call', after }, 1);
    return async () => {
      await until(what, async () => (rule?.hits === 1 ? true : undefined));
      await killed.promise;
      rule?.release();
    };
  };

  test('of the logins may be interrupted after each of its writes', { timeout: LONG_MS }, async () => {
    proxy = await FaultProxy.start(lab.cluster.connection);
    operator = await OperatorUnderTest.start(lab.cluster, { server: proxy.url, env: ALONE });
    const gateway = await Gateway.ready(lab, oneDomain());
    const database = pretendedDatabase();
    await database.runJob((await gateway.texts('gateway-database'))['logins.json'] ?? '', '');
    const watch = new LoginWatch(gateway, lab.kubelet, database);
    onTestFinished(() => watch.stop());
    const before = await stateOf(gateway);
    const { namespace } = gateway;

    const killed = STEPS.map(
      ([what, write]) =>
        () =>
          killAfter({ namespace, ...write }, what),
    );
    // In place before the operator goes on.
    let wait = killed.shift()?.();
    await gateway.annotate({ [ROTATE_LOGINS]: 'first' });
    while (wait !== undefined) {
      await wait();
      wait = killed.shift()?.();
      await operator.start();
    }

    await untilHandled(gateway, 'first');
    await gateway.untilReady();
    const after = await stateOf(gateway);
    await until('no Job to be left to do', async () => (database.enabled().length === 2 ? true : undefined));
    await watch.stop();
    expect(watch.violations).toEqual([]);
    expect(watch.logins).toBeGreaterThan(STEPS.length);
    expect([before.active, after.active]).toEqual(['a', 'b']);
    expect(after).toMatchObject({ phase: 'steady', enabled: ['b'] });
    expect(database.enabled()).toEqual(['nexus_dashboard_b', 'nexus_proxy_b']);
    expect(after.passwords['proxy']?.['b']).not.toBe(before.passwords['proxy']?.['b']);
    expect(Object.keys(await gateway.texts('gateway-database')).toSorted()).toEqual([
      'dashboardUrlB',
      'logins.json',
      'ownerUrl',
      'proxyUrlB',
    ]);
  });

  test('of the logins waits for pods that drain, and begins once for each value', async () => {
    operator = await OperatorUnderTest.start(lab.cluster);
    const gateway = await Gateway.ready(lab, oneDomain());
    const [old] = await gateway.uids('dashboard');
    const isOld = ({ metadata }: TestObject) => metadata.uid === old;
    const endDrain = lab.kubelet.linger({ 'app.kubernetes.io/component': 'proxy' });
    await gateway.annotate({ [ROTATE_LOGINS]: 'first' });
    await until('the old pods to be gone but for one that drains', async () => {
      const dashboards = await gateway.pods('dashboard');
      const done = (await gateway.pods('proxy')).some(isDraining) && !dashboards.some(isOld);
      return done ? true : undefined;
    });
    // A draining pod is in no Deployment's numbers: all else looks done.
    await gateway.untilReady();
    expect(await stateOf(gateway)).toMatchObject({ phase: 'switching', enabled: ['a', 'b'], active: 'b' });
    endDrain();
    await untilHandled(gateway, 'first');
    const ended = await stateOf(gateway);
    expect(ended).toMatchObject({ phase: 'steady', enabled: ['b'], active: 'b' });

    const mark = await lab.cluster.auditMark();
    await operator.stop();
    await operator.start();
    await gateway.annotate({ [ROTATE_LOGINS]: 'second' });
    await untilHandled(gateway, 'second');
    expect(await stateOf(gateway)).toMatchObject({ phase: 'steady', enabled: ['a'], active: 'a' });
    const updates = (await lab.cluster.auditOf('operator', mark)).filter(
      ({ verb, name, code }) => verb === 'update' && name === 'gateway-logins' && code === 200,
    );
    expect(updates).toHaveLength(4);
  });

  test('of the logins goes no further while its Job fails, and the pods keep their login', async () => {
    operator = await OperatorUnderTest.start(lab.cluster);
    const gateway = await Gateway.ready(lab, oneDomain());
    const pods = await gateway.uids('proxy');
    const failing = lab.kubelet.failJobs({ 'app.kubernetes.io/component': 'database' });
    await gateway.annotate({ [ROTATE_LOGINS]: 'first' });
    expect(await gateway.untilReason('Migrated', 'JobFailed')).toMatchObject({ status: 'False' });
    expect(await stateOf(gateway)).toMatchObject({ phase: 'preparing', active: 'a', enabled: ['a', 'b'] });
    expect(await gateway.uids('proxy')).toEqual(pods);
    failing();
    // Somebody who does not want to wait for the next attempt deletes the Job.
    for (const job of await gateway.jobs()) {
      await gateway.api.remove(
        `${gateway.collection('jobs')}/${job.metadata.name}?propagationPolicy=Background`,
      );
    }
    await untilHandled(gateway, 'first');
    expect(await stateOf(gateway)).toMatchObject({ phase: 'steady', active: 'b', enabled: ['b'] });
  });

  test('of the dashboard key rolls the dashboard only, also when it is interrupted', async () => {
    proxy = await FaultProxy.start(lab.cluster.connection);
    operator = await OperatorUnderTest.start(lab.cluster, { server: proxy.url, env: ALONE });
    const gateway = await Gateway.ready(lab, oneDomain());
    const before = await gateway.texts('gateway-keys');
    const [proxies, dashboards] = [await gateway.uids('proxy'), await gateway.uids('dashboard')];
    const killed = killAfter({ verb: 'update', name: 'gateway-keys' }, 'the new key');
    await gateway.annotate({ [ROTATE_KEY]: 'first' });
    await killed();
    const after = await gateway.texts('gateway-keys');
    expect(await gateway.uids('dashboard')).toEqual(dashboards);
    await operator.start();
    await gateway.untilAt(gateway.path, 'status.rotations.dashboardKey', (value) => value === 'first');
    await gateway.untilReady();
    await until('the old pod to be gone', async () =>
      (await gateway.uids('dashboard')).includes(dashboards[0] ?? '') ? undefined : true,
    );
    expect(after['dashboard-api-key']).not.toBe(before['dashboard-api-key']);
    expect(after['account-hash-key']).toBe(before['account-hash-key']);
    expect(await gateway.texts('gateway-keys')).toEqual(after);
    expect(await gateway.uids('proxy')).toEqual(proxies);
  });
});
