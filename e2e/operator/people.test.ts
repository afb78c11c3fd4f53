import { afterAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { quietWindow } from './resource.ts';
import { setUp } from './set-up.ts';

const PAUSED = 'claudenexus.dev/paused';

describe('a person with kubectl', () => {
  let operator: OperatorUnderTest | undefined;
  const lab = setUp(async (lab) => {
    operator = await OperatorUnderTest.start(lab.cluster);
  });
  afterAll(() => operator?.stop());

  const kubectl = (gateway: Gateway, ...args: string[]): Promise<string> =>
    lab.cluster.kubectl(['-n', gateway.namespace, ...args]);
  const columns = async (gateway: Gateway, ...args: string[]) =>
    (await kubectl(gateway, 'get', 'cnx', ...args))
      .trim()
      .split('\n')
      .map((line) => line.split(/\s{2,}/));

  test('waits for a gateway, sees it, scales it and reads what happened', async () => {
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    await gateway.create({});
    const wait = ['wait', '--for=condition=Ready', 'cnx/gateway', '--timeout=60s'];
    expect(await kubectl(gateway, ...wait)).toContain('condition met');
    const [head, row] = await columns(gateway, '-o', 'wide');
    expect(head?.join(' ')).toBe('NAME READY REASON URL AGE PROXIES IMAGE DATABASE DASHBOARD MESSAGE');
    const host = `${gateway.namespace}.svc`;
    expect(row).toEqual([
      'gateway',
      'True',
      'AllReady',
      `http://gateway-proxy.${host}:3000`,
      expect.stringMatching(/^\d+s$/),
      '1',
      'claude-nexus/proxy:0.1.0',
      'Available',
      `http://gateway-dashboard.${host}:3001/`,
      'Database, migration, credentials, proxy and dashboard are ready',
    ]);

    expect(await kubectl(gateway, 'scale', 'cnx/gateway', '--replicas=3')).toContain('scaled');
    // Ready of the old spec does not count.
    await kubectl(gateway, ...wait);
    expect(await gateway.pods('proxy')).toHaveLength(3);
    const scale = await gateway.api.get(`${gateway.path}/scale`);
    expect(scale).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
    const selector = encodeURIComponent(String(at(scale, 'status.selector')));
    const selected = await gateway.api.list(`${gateway.collection('pods')}?labelSelector=${selector}`);
    expect(selected.map(({ metadata }) => metadata.uid).toSorted()).toEqual(
      [...(await gateway.uids('proxy'))].toSorted(),
    );

    const described = await until('the events', async () => {
      const text = await kubectl(gateway, 'describe', 'cnx/gateway');
      return text.includes('Created Deployment gateway-dashboard') ? text : undefined;
    });
    expect(described).toMatch(/Normal +Created .* claude-nexus-operator +Created Secret gateway-keys/);
    expect(described).toMatch(/Type: +DatabaseReady/);
  });

  test('sees a pod in trouble by name, and that it is over', async () => {
    const gateway = await Gateway.ready(lab);
    const heal = lab.kubelet.fail(
      (pod) => JSON.stringify(pod['spec']).includes('registry.example.com/bad:1'),
      { reason: 'ImagePullBackOff' },
    );
    await gateway.patch({ images: { dashboard: 'registry.example.com/bad:1' } });
    const failing = await gateway.untilReason('DashboardReady', 'PodsFailing');
    expect(failing.message).toMatch(/pod gateway-dashboard-\S+: container dashboard is in ImagePullBackOff/);
    expect((await columns(gateway))[1]?.slice(0, 3)).toEqual(['gateway', 'False', 'PodsFailing']);
    heal();
    await gateway.untilReady();
  });

  test('pauses: nothing is written but what is true, until the annotation is gone', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    await gateway.annotate({ [PAUSED]: 'true' });
    await until('Paused', () => gateway.condition('Paused'));
    const mark = await lab.cluster.auditMark();
    await gateway.patch({ proxy: { replicas: 2 }, domains: [] });
    await gateway.api.patch(gateway.child('deployments', 'proxy'), { spec: { replicas: 5 } });
    await gateway.api.remove(gateway.child('services', 'dashboard'));
    await gateway.untilReason('Paused', 'Paused');
    await gateway.untilAt(gateway.child('deployments', 'proxy'), 'status.readyReplicas', (n) => n === 5);
    await quietWindow();
    const writes = (await lab.cluster.auditOf('operator', mark)).filter(
      ({ verb, namespace, resource, subresource }) =>
        !['get', 'list', 'watch'].includes(verb) &&
        namespace === gateway.namespace &&
        resource !== 'events' &&
        !(resource === 'claudenexuses' && subresource === 'status'),
    );
    expect(writes).toEqual([]);
    const told = await gateway.resource();
    expect(told.metadata.generation).toBe(2);
    expect(at(told, 'status.observedGeneration')).toBe(1);
    expect(await gateway.condition('Ready')).toMatchObject({ observedGeneration: 1 });
    expect(await gateway.api.find(gateway.child('services', 'dashboard'))).toBeUndefined();

    await gateway.annotate({ [PAUSED]: null });
    await gateway.untilAt(gateway.child('deployments', 'proxy'), 'spec.replicas', (n) => n === 2);
    await gateway.untilReady();
    await until('Paused to be gone', async () => ((await gateway.condition('Paused')) ? undefined : true));
    expect(await gateway.api.find(gateway.child('services', 'dashboard'))).toBeDefined();
  });

  test('deletes a paused one all the same', async () => {
    const gateway = await Gateway.ready(lab);
    await gateway.annotate({ [PAUSED]: 'true' });
    await until('Paused', () => gateway.condition('Paused'));
    await kubectl(gateway, 'delete', 'cnx/gateway', '--timeout=60s');
    for (const plural of ['deployments', 'statefulsets', 'jobs', 'services', 'pods'] as const) {
      await until(`the ${plural} to be gone`, async () =>
        (await gateway.api.list(gateway.collection(plural))).length === 0 ? true : undefined,
      );
    }
    const claims = await gateway.api.list(gateway.collection('persistentvolumeclaims'));
    expect(claims.map(({ metadata }) => metadata.name)).toEqual(['data-gateway-postgres-0']);
    const secrets = (await gateway.api.list(gateway.collection('secrets'))).map(
      ({ metadata }) => metadata.name,
    );
    expect(secrets.toSorted()).toEqual(['anthropic', 'gateway-postgres-password']);
  });
});
