import { afterAll, describe, expect, test } from 'vitest';

import { KINDS } from '../../operator/src/kube/kinds.ts';
import { at } from '../fixtures/control-plane/api.ts';
import { Comparison } from './comparison.ts';
import { choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath, readiness, stateOf, writesAtRest } from './oracles.ts';
import { condition, newResource, resourcePath, untilReady, untilTold } from './resource.ts';
import { resourcesPath } from './crd.ts';
import { setUp } from './set-up.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { OperatorProcess } from './operator-process.ts';

const SPEC = specOf(choiceOf({ ingress: 'on', replicas: 'two', database: 'backedUp' }));

const object = (kind: Kind, name: string, body: Readonly<Record<string, unknown>>) => ({
  apiVersion: kind.apiVersion,
  kind: kind.kind,
  metadata: { name },
  ...body,
});
const POD = {
  metadata: { labels: { app: 'theirs' } },
  spec: { containers: [{ name: 'theirs', image: 'example.com/theirs:1' }] },
};

/** Objects of somebody else under the names of children, one of each kind a condition speaks for. */
const FOREIGN = [
  object(KINDS.Service, 'gateway-proxy', { spec: { ports: [{ port: 80 }], selector: { app: 'theirs' } } }),
  object(KINDS.Deployment, 'gateway-dashboard', {
    spec: { replicas: 0, selector: { matchLabels: { app: 'theirs' } }, template: POD },
  }),
  object(KINDS.Secret, 'gateway-keys', { stringData: { theirs: 'x' } }),
  object(KINDS.Secret, 'gateway-database', { stringData: { theirs: 'x' } }),
  object(KINDS.NetworkPolicy, 'gateway-postgres', {
    spec: { podSelector: { matchLabels: { app: 'theirs' } } },
  }),
  object(KINDS.CronJob, 'gateway-backup', {
    spec: {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: { spec: { ...POD.spec, restartPolicy: 'Never' } } } },
    },
  }),
];

describe('resources and the objects beside them', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    // Nothing tells that somebody else's object is gone: the next look finds it.
    operator = await runOperator(cluster, { env: { RESYNC_INTERVAL: '2s' } });
  });
  afterAll(() => operator?.stop());
  const comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));
  const api = () => lab.cluster.api();

  test('two of one name in two namespaces, and two in one namespace, do not touch each other', async () => {
    const first = await comparison.install(SPEC);
    const second = await comparison.install(SPEC);
    const third = { namespace: first.namespace, name: 'gateway-2' };
    await api().create(resourcesPath(third.namespace), newResource(third.name, SPEC));
    const [one, two, three] = await Promise.all(
      [first, second, third].map((ref) => comparison.settled(ref, SPEC)),
    );
    expect(one?.state).toEqual(two?.state);
    expect(Object.keys(three?.state ?? {}).map((key) => key.replace('gateway-2', 'gateway'))).toEqual(
      expect.arrayContaining(Object.keys(one?.state ?? {}).filter((key) => !key.includes('-domain-'))),
    );
    const passwordOf = async (ref: { namespace: string; name: string }) =>
      at(
        await api().get(`${kindPath(KINDS.Secret, ref.namespace)}/${ref.name}-postgres-password`),
        'data.password',
      );
    const passwords = await Promise.all([first, second, third].map((ref) => passwordOf(ref)));
    expect(new Set(passwords).size).toBe(3);

    await api().remove(resourcePath(third), { propagationPolicy: 'Foreground' });
    await comparison.change(second, { ...SPEC, proxy: { replicas: 3 } });
    await comparison.settled(second, SPEC);
    expect((await comparison.settled(first, SPEC)).state).toEqual(one?.state);
  });

  test('the longest name gives children whose names are valid and their own', async () => {
    const namespace = await lab.namespace();
    await prepareSecrets(api(), namespace);
    const long = `${'a'.repeat(62)}b`;
    const twin = `${'a'.repeat(62)}c`;
    for (const name of [long, twin]) await api().create(resourcesPath(namespace), newResource(name, SPEC));
    for (const name of [long, twin]) {
      await untilReady(api(), { namespace, name });
      expect(await readiness(api(), { namespace, name })).toEqual({ told: true, shown: true });
    }
    const names = async (name: string) =>
      (await childrenOf(api(), { namespace, name })).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    const [ours, theirs] = [await names(long), await names(twin)];
    expect(ours.filter((name) => theirs.includes(name))).toEqual([]);
    expect(ours).toHaveLength(theirs.length);
    expect(await writesAtRest(lab.cluster, namespace)).toEqual([]);
  });

  test('objects of somebody else are told of and left alone, and once they are gone all is made', async () => {
    const namespace = await lab.namespace();
    const ref = { namespace, name: 'gateway' };
    await prepareSecrets(api(), namespace);
    const pathOf = (foreign: (typeof FOREIGN)[number]) =>
      `${kindPath((KINDS as Readonly<Record<string, Kind>>)[foreign.kind] as Kind, namespace)}/${foreign.metadata.name}`;
    const contents = async () =>
      Promise.all(
        FOREIGN.map(async (foreign) => {
          const { status: _, ...rest } = await api().get(pathOf(foreign));
          return { ...rest, metadata: { uid: rest.metadata.uid, labels: rest.metadata.labels } };
        }),
      );
    for (const foreign of FOREIGN) {
      await api().create(pathOf(foreign).replace(/\/[^/]+$/, ''), foreign);
    }
    const before = await contents();
    await api().create(resourcesPath(namespace), newResource('gateway', SPEC));
    const stalled = await untilTold(api(), ref, 'Stalled', ({ reason }) => reason === 'NameTaken');
    expect(condition(stalled, 'Ready')?.status).toBe('False');
    // It tries again and again, knowing what it told the first time, and comes to the same.
    const tried = new Set(await writesAtRest(lab.cluster, namespace));
    expect([...tried]).toEqual(['create secrets gateway-keys -> 409']);
    expect(await contents()).toEqual(before);
    for (const foreign of FOREIGN) {
      const told = await untilTold(api(), ref, 'Stalled', ({ reason }) => reason === 'NameTaken');
      const named = FOREIGN.find(({ metadata }) =>
        condition(told, 'Stalled')?.message.includes(metadata.name),
      );
      expect(named, `${condition(told, 'Stalled')?.message}`).toBeDefined();
      await api().remove(pathOf(foreign));
    }
    await untilReady(api(), ref);
    const fresh = await comparison.settled(await comparison.install(SPEC), SPEC);
    expect(await stateOf(api(), ref)).toEqual(fresh.state);
  });

  test('raise no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});
