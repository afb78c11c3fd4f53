import { afterEach, describe, expect, test } from 'vitest';

import { at } from '../../fixtures/control-plane/api.ts';
import { FaultProxy } from '../../fixtures/control-plane/fault-proxy.ts';
import { until } from '../../fixtures/program.ts';
import { resourcesPath } from '../crd.ts';
import { OperatorProcess } from '../operator-process.ts';
import { newResource, quietWindow, resourcePath, untilReady } from '../resource.ts';
import { setUp } from '../set-up.ts';
import { isWork } from './site.ts';
import type { ApiRequest } from '../../fixtures/control-plane/api-request.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const LEASE_SECONDS = 4;

/** One of several operators for the same namespace, with a proxy of its own. */
interface Replica {
  readonly operator: OperatorProcess;
  readonly proxy: FaultProxy;
  leads(): Promise<boolean>;
  /** Its writes since a number of requests, the lease apart. */
  works(since?: number): ApiRequest[];
}

describe('replicas of the operator', () => {
  const lab = setUp();
  const replicas: Replica[] = [];
  let lease = '';
  let namespace = '';

  afterEach(async () => {
    for (const { operator, proxy } of replicas.splice(0)) {
      await operator.stop('SIGKILL');
      await proxy.stop();
    }
  });

  const start = async (seconds = LEASE_SECONDS): Promise<Replica> => {
    const proxy = await FaultProxy.start(lab.cluster.connection);
    const operator = await OperatorProcess.start(lab.cluster, {
      user: replicas.length === 0 ? 'operator' : 'operator-2',
      server: proxy.url,
      lease,
      env: { WATCH_NAMESPACES: namespace, LEASE_DURATION: `${seconds}s` },
    });
    const replica: Replica = {
      operator,
      proxy,
      leads: async () => {
        // A kept connection may be closed just then; one that has ended does not lead.
        const text = await operator.metrics().catch(() => operator.metrics().catch(() => ''));
        return /^leader_election_master_status\{.*\} 1$/m.test(text);
      },
      works: (since = 0) => proxy.requests.slice(since).filter((request) => isWork(request)),
    };
    replicas.push(replica);
    await operator.ready();
    return replica;
  };

  /** The first leads when the second begins. */
  const startTwo = async (seconds?: number): Promise<[Replica, Replica]> => {
    namespace = await lab.namespace();
    lease = `lease-${namespace}`;
    const first = await start(seconds);
    await leading(first);
    const second = await start(seconds);
    // At its second look it knows what it saw at the first: who leads.
    await until('looks at the lease', async () => {
      const looks = second.proxy.requests.filter(({ resource }) => resource === 'leases');
      return looks.length >= 2 ? true : undefined;
    });
    return [first, second];
  };

  const leading = (replica: Replica): Promise<true> =>
    until('a replica to lead', async () => ((await replica.leads()) ? true : undefined));

  /** Looks again and again for a while. @returns the largest number of leaders at one time */
  const mostLeaders = async (among: readonly Replica[], ms: number): Promise<number> => {
    let most = 0;
    for (const end = performance.now() + ms; performance.now() < end;) {
      const leaders = await Promise.all(among.map((replica) => replica.leads()));
      most = Math.max(most, leaders.filter(Boolean).length);
    }
    return most;
  };

  const install = async (): Promise<void> => {
    await lab.cluster.api().create(resourcesPath(namespace), newResource('nexus', {}));
    await untilReady(lab.cluster.api(), { namespace, name: 'nexus' });
  };

  const holder = async (): Promise<unknown> =>
    at(await lab.cluster.api().get(`${LEASES}/${lease}`), 'spec.holderIdentity');

  test('have one leader, which alone writes', async () => {
    const [first, second] = await startTwo();
    await install();
    expect(first.works().length).toBeGreaterThan(10);
    expect(second.works()).toEqual([]);
    expect(await mostLeaders([first, second], 1000)).toBe(1);
  });

  test('hand over within two retry periods when the leader is told to end', async () => {
    const seconds = 30;
    const [first, second] = await startTwo(seconds);
    const retryMs = (seconds * 1000 * 2) / 15;
    const exit = first.operator.stop();
    const begin = performance.now();
    await leading(second);
    expect(performance.now() - begin).toBeLessThan(2 * retryMs);
    expect(await exit).toBe(0);
    await install();
  });

  test('leave nothing to a leader that was stopped in the middle of its work past its time', async () => {
    const [first, second] = await startTwo();
    const pause = Promise.withResolvers<void>();
    const look = first.proxy.on(
      { verb: 'get', resource: 'networkpolicies' },
      { kind: 'call', before: () => pause.promise },
      1,
    );
    const installed = install();
    await until('the middle of the work', async () => (look.hits === 1 ? true : undefined));
    first.operator.signal('SIGSTOP');
    const seen = first.proxy.requests.length;
    await leading(second);
    await installed;
    const owner = await holder();

    pause.resolve();
    first.operator.signal('SIGCONT');
    expect(await first.operator.ended()).toBe(1);
    expect(first.works(seen)).toEqual([]);
    expect(first.operator.output).toContain('lost the lease');
    expect(await holder()).toBe(owner);
  });

  test('never are two leaders when the lease is deleted', async () => {
    const [first, second] = await startTwo();
    await lab.cluster.api().remove(`${LEASES}/${lease}`);
    expect(await mostLeaders([first, second], LEASE_SECONDS * 1500)).toBe(1);
    const identity = await holder();
    const leaders = await Promise.all([first.leads(), second.leads()]);
    expect(identity).not.toBe('');
    expect(leaders.filter(Boolean)).toHaveLength(1);
  });

  test('leave when somebody else holds the lease, and wait for the end of its time', async () => {
    const [first, second] = await startTwo();
    const begin = performance.now();
    await lab.cluster.api().patch(`${LEASES}/${lease}`, { spec: { holderIdentity: 'somebody else' } });
    expect(await first.operator.ended()).toBe(1);
    await leading(second);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(LEASE_SECONDS * 1000 - 50);
  });

  test.for([-600, 600])('do not believe a time of renewal that is %d s off', async (offset) => {
    const [first, second] = await startTwo();
    const renewTime = new Date(Date.now() + offset * 1000).toISOString().replace('Z', '000Z');
    const timer = setInterval(() => {
      void lab.cluster.api().patch(`${LEASES}/${lease}`, { spec: { renewTime } });
    }, 200);
    try {
      expect(await mostLeaders([first, second], LEASE_SECONDS * 1500)).toBe(1);
    } finally {
      clearInterval(timer);
    }
    expect(await first.leads()).toBe(true);

    // Nor that of a leader that is dead: it is over when its own time has passed here.
    await second.operator.stop();
    await first.operator.stop('SIGKILL');
    await lab.cluster.api().patch(`${LEASES}/${lease}`, { spec: { renewTime } });
    const begin = performance.now();
    const third = await start();
    await leading(third);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(LEASE_SECONDS * 1000 - 50);
  });

  test('leave the work alone that another has done when one of them starts anew', async () => {
    const [first] = await startTwo();
    await install();
    await first.operator.stop();
    await start();
    await quietWindow();
    const resource = await lab.cluster.api().get(resourcePath({ namespace, name: 'nexus' }));
    expect(at(resource, 'status.observedGeneration')).toBe(1);
    expect(
      replicas
        .slice(1)
        .flatMap((replica) => replica.works())
        .filter(({ verb }) => verb === 'create'),
    ).toEqual([]);
  });
});
