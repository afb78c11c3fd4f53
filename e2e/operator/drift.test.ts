import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { KINDS } from '../../operator/src/kube/kinds.ts';
import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Comparison } from './comparison.ts';
import { choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath, stateOf, writesAtRest, writesSince } from './oracles.ts';
import { condition, resourcePath, untilReady } from './resource.ts';
import { setUp } from './set-up.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { ResourceRef } from './resource.ts';

/** All kinds of children at once; two pods each, for the budgets. */
const SPEC = {
  ...specOf(choiceOf({ ingress: 'on', replicas: 'two', database: 'backedUp', domains: 'three' })),
  autoscaling: { minReplicas: 2, maxReplicas: 5 },
};

const pathOf = ({ kind, metadata }: TestObject): string =>
  `${kindPath((KINDS as Readonly<Record<string, Kind>>)[kind] as Kind, metadata.namespace ?? '')}/${metadata.name}`;

/** Not made again: they are data, or open data that is there. F2's tests tell what becomes of generated Secrets. */
const KEPT = /^(PersistentVolumeClaim\/|Secret\/gateway-(keys|client-keys|logins|postgres-password)$)/;

/** Another value for one field of ours, for each kind. */
const EDITS: Readonly<Record<string, unknown>> = {
  'ServiceAccount/gateway-proxy': { automountServiceAccountToken: true },
  'Service/gateway-proxy': { spec: { selector: { 'app.kubernetes.io/component': 'dashboard' } } },
  'NetworkPolicy/gateway-postgres': { spec: { ingress: [] } },
  'Deployment/gateway-dashboard': {
    spec: { template: { spec: { securityContext: { runAsNonRoot: false } } } },
  },
  'StatefulSet/gateway-postgres': { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } },
  'CronJob/gateway-backup': { spec: { schedule: '* * * * *' } },
  'PodDisruptionBudget/gateway-proxy': { spec: { maxUnavailable: 2 } },
  'HorizontalPodAutoscaler/gateway-proxy': { spec: { maxReplicas: 50 } },
  'Ingress/gateway-proxy': { spec: { ingressClassName: 'other' } },
  'Secret/gateway-database': {
    data: { proxyUrlA: Buffer.from('postgresql://elsewhere').toString('base64') },
  },
};

const uidsOf = (objects: readonly TestObject[]) => new Set(objects.map(({ metadata }) => metadata.uid));

describe('children that drift', () => {
  let operator: OperatorProcess;
  let ref: ResourceRef;
  let comparison: Comparison;
  let original: Readonly<Record<string, unknown>>;
  const lab = setUp(async ({ cluster }) => {
    operator = await runOperator(cluster);
  });
  beforeAll(async () => {
    comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));
    ref = await comparison.install(SPEC);
    original = (await comparison.settled(ref, SPEC)).state;
  });
  afterAll(() => operator?.stop());

  const api = () => lab.cluster.api();
  const child = async (key: string): Promise<TestObject> => {
    const children = await childrenOf(api(), ref);
    const found = children.find(({ kind, metadata }) => `${kind}/${metadata.name}` === key);
    if (found === undefined) throw new Error(`there is no ${key}`);
    return found;
  };
  const untilOriginal = async (what: string): Promise<void> => {
    let last: unknown;
    await until(what, async () => {
      last = await stateOf(api(), ref);
      return JSON.stringify(last) === JSON.stringify(original) ? true : undefined;
    }).catch(() => undefined);
    expect(last).toEqual(original);
    await untilReady(api(), ref);
  };

  test('are made again when they are deleted, all but data', async () => {
    const children = await childrenOf(api(), ref);
    const doomed = children.filter(({ kind, metadata }) => !KEPT.test(`${kind}/${metadata.name}`));
    expect(new Set(doomed.map(({ kind }) => kind)).size).toBe(11);
    const kept = children.filter((object) => !doomed.includes(object));
    await Promise.all(
      doomed.map((object) => api().remove(pathOf(object), { propagationPolicy: 'Background' })),
    );
    await untilOriginal('the children to be there again');
    const now = uidsOf(await childrenOf(api(), ref));
    expect([...uidsOf(doomed)].filter((uid) => now.has(uid))).toEqual([]);
    expect([...uidsOf(kept)].filter((uid) => !now.has(uid))).toEqual([]);
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
  });

  test('get back every field of ours that somebody else changed', async () => {
    const paths = await Promise.all(
      Object.keys(EDITS).map(async (key) => [key, pathOf(await child(key))] as const),
    );
    for (const [key, path] of paths) {
      const answer = await api().request('PATCH', `${path}?fieldManager=kubectl-edit`, EDITS[key], {
        'content-type': 'application/merge-patch+json',
      });
      expect(answer.status, `${key}: ${JSON.stringify(answer.body)}`).toBe(200);
    }
    await untilOriginal('the edits to be undone');
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
  });

  test('keep what others added', async () => {
    const mark = await lab.cluster.auditMark();
    const deployment = pathOf(await child('Deployment/gateway-dashboard'));
    await api().apply(
      deployment,
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: {
          name: 'gateway-dashboard',
          annotations: { 'example.com/note': 'x' },
          labels: { team: 'x' },
        },
        spec: { template: { spec: { containers: [{ name: 'sidecar', image: 'example.com/sidecar:1' }] } } },
      },
      'sidecar-injector',
    );
    const service = pathOf(await child('Service/gateway-proxy'));
    await api().patch(service, { metadata: { annotations: { 'example.com/note': 'x' } } });
    await untilReady(api(), ref);
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
    const live = await api().get(deployment);
    const containers = at(live, 'spec.template.spec.containers') as readonly { name: string }[];
    expect(containers.map(({ name }) => name).toSorted()).toEqual(['dashboard', 'sidecar']);
    expect(live.metadata.annotations?.['example.com/note']).toBe('x');
    expect(live.metadata.labels?.['team']).toBe('x');
    expect((await api().get(service)).metadata.annotations?.['example.com/note']).toBe('x');
    const writes = (await writesSince(lab.cluster, mark, { namespace: ref.namespace })).filter(
      ({ resource }) => resource !== 'events' && resource !== 'claudenexuses',
    );
    // One look by an apply that changes nothing is fine.
    expect(writes.length).toBeLessThanOrEqual(2 * 2);
    await api().remove(deployment);
    await api().patch(service, { metadata: { annotations: { 'example.com/note': null } } });
    await untilOriginal('the original');
  });

  test('that lost their labels or their owner are taken back and not made twice', async () => {
    const labelled = pathOf(await child('Service/gateway-proxy'));
    const owned = pathOf(await child('ServiceAccount/gateway-dashboard'));
    const uids = async () => [
      (await api().get(labelled)).metadata.uid,
      (await api().get(owned)).metadata.uid,
    ];
    const before = await uids();
    await api().patch(labelled, { metadata: { labels: null } });
    await api().patch(owned, { metadata: { ownerReferences: null } });
    await untilOriginal('labels and owner to be there again');
    expect(await uids()).toEqual(before);
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
  });

  test('leave the number of replicas to the autoscaler while there is one', async () => {
    const proxy = pathOf(await child('Deployment/gateway-proxy'));
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 4 } };
    const live = await api().get(`${proxy}/scale`);
    await api().object('PUT', `${proxy}/scale`, { ...scale, metadata: live.metadata });
    await untilReady(api(), ref);
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
    // Another change must not take it back either.
    await comparison.change(ref, { ...SPEC, proxy: { replicas: 2, logLevel: 'debug' } });
    await untilReady(api(), ref);
    expect(at(await api().get(proxy), 'spec.replicas')).toBe(4);
    const { autoscaling: _, ...without } = SPEC;
    await comparison.change(ref, { ...without, proxy: { replicas: 3 } });
    await untilReady(api(), ref);
    expect(at(await api().get(proxy), 'spec.replicas')).toBe(3);
    expect(condition(await api().get(resourcePath(ref)), 'ProxyReady')?.status).toBe('True');
  });

  test('raise no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});
