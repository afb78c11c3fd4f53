import path from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { ROOT, until } from '../fixtures/program.ts';
import { runOperator } from './operator-process.ts';
import {
  childrenOf,
  complaints,
  creationsAndDeletions,
  kindPath,
  readiness,
  stateOf,
  writesAtRest,
} from './oracles.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import { API_KEY, condition, isCurrent, putSecret, untilReady, untilTold } from './resource.ts';
import { setUp } from './set-up.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { OperatorProcess } from './operator-process.ts';

const EXAMPLES = path.join(ROOT, 'crds/examples');

/** What the smallest gateway is made of, beside what the user made. */
const CHILDREN = [
  'Deployment/gateway-dashboard',
  'Deployment/gateway-proxy',
  'Job/gateway-database-*',
  'NetworkPolicy/gateway-dashboard',
  'NetworkPolicy/gateway-database',
  'NetworkPolicy/gateway-postgres',
  'NetworkPolicy/gateway-proxy',
  'PersistentVolumeClaim/data-gateway-postgres-0',
  'Secret/gateway-client-keys',
  'Secret/gateway-database',
  'Secret/gateway-domain-*',
  'Secret/gateway-keys',
  'Secret/gateway-logins',
  'Secret/gateway-postgres-password',
  'Service/gateway-dashboard',
  'Service/gateway-postgres',
  'Service/gateway-proxy',
  'ServiceAccount/gateway-dashboard',
  'ServiceAccount/gateway-postgres',
  'ServiceAccount/gateway-proxy',
  'StatefulSet/gateway-postgres',
];

describe('a fresh install', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    operator = await runOperator(cluster);
  });
  afterAll(() => operator?.stop());

  const name = 'gateway';
  const install = async (): Promise<string> => {
    const namespace = await lab.namespace();
    await lab.cluster.kubectl(['apply', '-n', namespace, '-f', path.join(EXAMPLES, 'minimal.yaml')]);
    // The examples hold placeholders, which are refused.
    await putSecret(lab.cluster.api(), { namespace, name: 'anthropic' }, { 'api-key': API_KEY });
    return namespace;
  };

  test('of the minimal example makes every child once, tells it once, and comes to rest', async () => {
    const mark = await lab.cluster.auditMark();
    const namespace = await install();
    const ref = { namespace, name };
    const api = lab.cluster.api();
    const resource = await untilReady(api, ref);
    expect(await writesAtRest(lab.cluster, namespace)).toEqual([]);

    const children = await childrenOf(api, ref);
    const state = await stateOf(api, ref);
    expect(Object.keys(state).map((key) => key.replace(/domain-[0-9a-f]{8}$/, 'domain-*'))).toEqual(CHILDREN);
    for (const child of children) {
      const label = (key: string) => child.metadata.labels?.[`app.kubernetes.io/${key}`];
      expect([label('name'), label('instance'), label('managed-by')], `of ${child.metadata.name}`).toEqual([
        'claude-nexus',
        'gateway',
        'claude-nexus-operator',
      ]);
      expect(label('component'), `of ${child.metadata.name}`).toMatch(/^[a-z]+$/);
    }
    const unowned = children.filter(
      ({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === resource.metadata.uid) !== true,
    );
    // Claims and the password that opens them outlive the resource.
    expect(unowned.map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted()).toEqual([
      'PersistentVolumeClaim/data-gateway-postgres-0',
      'Secret/gateway-postgres-password',
    ]);

    const counts = await creationsAndDeletions(lab.cluster, mark, namespace);
    expect(Object.values(counts).every((count) => count === 1)).toBe(true);
    expect(Object.keys(counts).filter((key) => key.startsWith('delete'))).toEqual([]);
    expect(await createdEvents(namespace, resource)).toEqual(
      children
        // The StatefulSet controller makes the claim.
        .filter(({ kind }) => kind !== 'PersistentVolumeClaim')
        .map(({ kind, metadata }) => `Created ${kind} ${metadata.name}`)
        .toSorted(),
    );
    expect(await readiness(api, ref)).toEqual({ told: true, shown: true });
    expect(complaints(operator)).toEqual([]);
  });

  test('tells every condition from the first visit on, of the generation it has seen', async () => {
    const release = lab.kubelet.hold({ 'app.kubernetes.io/component': 'proxy' });
    const namespace = await install();
    const ref = { namespace, name };
    const first = await untilTold(lab.cluster.api(), ref, 'ProxyReady', () => true);
    const types = ['Ready', 'DatabaseReady', 'Migrated', 'CredentialsReady', 'ProxyReady', 'DashboardReady'];
    for (const type of types) {
      expect(condition(first, type)?.observedGeneration, `of ${type}`).toBe(first.metadata.generation);
    }
    const waiting = await untilTold(lab.cluster.api(), ref, 'Migrated', ({ status }) => status === 'True');
    expect(condition(waiting, 'Ready')?.status).toBe('False');
    expect(condition(waiting, 'Reconciling')?.status).toBe('True');
    release();
    const ready = await untilReady(lab.cluster.api(), ref);
    expect(isCurrent(ready)).toBe(true);
    expect(condition(ready, 'Reconciling')).toBeUndefined();
    expect(at(ready, 'status.url')).toBe(`http://gateway-proxy.${namespace}.svc:3000`);
  });

  test('of the example with every field is ready; what the cluster lacks is told', async () => {
    const namespace = await lab.namespace();
    const api = lab.cluster.api();
    await lab.cluster.kubectl(['apply', '-n', namespace, '-f', path.join(EXAMPLES, 'full.yaml')]);
    await putSecret(api, { namespace, name: 'anthropic' }, { 'api-key': API_KEY });
    await putSecret(
      api,
      { namespace, name: 'clients' },
      { alice: 'key-of-alice', build: 'key-of-the-build' },
    );
    await putSecret(api, { namespace, name: 'dashboard' }, { key: 'a-key-of-the-dashboard' });
    await untilReady(api, { namespace, name: 'full' });
    expect(await readiness(api, { namespace, name: 'full' })).toEqual({ told: true, shown: true });
    await untilReady(api, { namespace, name: 'external-database' });
    await untilTold(
      api,
      { namespace, name: 'available-database' },
      'DatabaseReady',
      ({ reason }) => reason === 'CloudNativePGMissing',
    );
    expect(await writesAtRest(lab.cluster, namespace)).toEqual([]);
    expect(complaints(operator)).toEqual([]);
  });

  /** Notes of the events of creation about a resource, one entry for each occurrence. */
  async function createdEvents(namespace: string, resource: TestObject): Promise<string[]> {
    const expected = (await childrenOf(lab.cluster.api(), { namespace, name })).length - 1;
    const notes = async () => {
      const events = await lab.cluster.api().list(kindPath(KINDS.Event, namespace));
      return events
        .filter(
          (event) => event['reason'] === 'Created' && at(event, 'regarding.uid') === resource.metadata.uid,
        )
        .flatMap((event) =>
          Array.from({ length: Number(at(event, 'series.count') ?? 1) }, () => String(event['note'])),
        )
        .toSorted();
    };
    return until('the events', async () => {
      const found = await notes();
      return found.length >= expected ? found : undefined;
    });
  }
});
