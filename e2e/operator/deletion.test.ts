import { afterAll, describe, expect, test } from 'vitest';

import { KINDS } from '../../operator/src/kube/kinds.ts';
import { FaultProxy } from '../fixtures/control-plane/fault-proxy.ts';
import { until } from '../fixtures/program.ts';
import { Comparison } from './comparison.ts';
import { choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath, writesAtRest, writesSince } from './oracles.ts';
import { newResource, quietWindow, resourcePath, untilReady, untilTold } from './resource.ts';
import { resourcesPath } from './crd.ts';
import { setUp } from './set-up.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { ResourceRef } from './resource.ts';

const SPEC = specOf(choiceOf({ ingress: 'on', replicas: 'two' }));
const BACKED_UP = specOf(choiceOf({ database: 'backedUp' }));
const DELETE_DATA = {
  ...SPEC,
  database: { managed: { deletionPolicy: 'Delete', backup: {} } },
};

/** What outlives a resource whose data is retained. */
const DATA = ['PersistentVolumeClaim/data-gateway-postgres-0', 'Secret/gateway-postgres-password'];

const policies = (part: object) => ({ ...SPEC, networkPolicy: { enabled: false }, ...part });

describe('a resource that is deleted', () => {
  let operator: OperatorProcess;
  let proxy: FaultProxy;
  const lab = setUp(async ({ cluster }) => {
    proxy = await FaultProxy.start(cluster.connection);
    operator = await runOperator(cluster, { server: proxy.url, env: { RESYNC_INTERVAL: '2s' } });
  });
  afterAll(async () => {
    await operator?.stop();
    await proxy?.stop();
  });
  const comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));
  const api = () => lab.cluster.api();

  const left = async (ref: ResourceRef): Promise<string[]> =>
    (await childrenOf(api(), ref)).map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted();
  const untilLeft = async (ref: ResourceRef, expected: readonly string[]): Promise<void> => {
    let last: string[] = [];
    await until('the children to be gone', async () => {
      last = await left(ref);
      return JSON.stringify(last) === JSON.stringify(expected) ? true : undefined;
    }).catch(() => undefined);
    expect(last).toEqual(expected);
  };
  const userSecrets = async ({ namespace }: ResourceRef): Promise<string[]> =>
    (await api().list(kindPath(KINDS.Secret, namespace)))
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.startsWith('gateway-'))
      .toSorted();
  const remove = (ref: ResourceRef, propagationPolicy = 'Background') =>
    api().remove(resourcePath(ref), { propagationPolicy });

  test.for([
    ['Background', BACKED_UP, [DATA[0], 'PersistentVolumeClaim/gateway-backup', DATA[1]]],
    ['Foreground', SPEC, DATA],
    ['Background', DELETE_DATA, []],
  ] as const)('(%s) takes its children along; data as its policy says', async ([how, spec, kept]) => {
    const ref = await comparison.install(spec);
    await untilReady(api(), ref);
    await remove(ref, how);
    await untilLeft(ref, kept as readonly string[]);
    await until('the resource to be gone', async () =>
      (await api().find(resourcePath(ref))) ? undefined : true,
    );
    expect(await userSecrets(ref)).toEqual(['anthropic', 'database']);
    // A reconcile that was under way may end after the deletion; what it makes has no owner and is collected.
    await until('rest', async () =>
      (await writesAtRest(lab.cluster, ref.namespace)).length === 0 ? true : undefined,
    );
    await untilLeft(ref, kept as readonly string[]);
  });

  test('and made anew has its data again', async () => {
    const ref = await comparison.install(SPEC);
    await comparison.settled(ref, SPEC);
    const passwordPath = `${kindPath(KINDS.Secret, ref.namespace)}/gateway-postgres-password`;
    const password = (await api().get(passwordPath))['data'];
    await remove(ref);
    await untilLeft(ref, DATA);
    await api().create(resourcesPath(ref.namespace), newResource(ref.name, SPEC));
    const compared = await comparison.withFresh(ref, SPEC);
    expect(compared.got).toEqual(compared.fresh);
    expect((await api().get(passwordPath))['data']).toEqual(password);
  });

  test('with its children orphaned is not missed, and takes them back when it is made anew', async () => {
    const ref = await comparison.install(SPEC);
    // One that is still at work would give the children back to their owner while they are taken away.
    await comparison.settled(ref, SPEC);
    const before = await left(ref);
    await remove(ref, 'Orphan');
    await until('the resource to be gone', async () =>
      (await api().find(resourcePath(ref))) ? undefined : true,
    );
    await quietWindow();
    expect(await left(ref)).toEqual(before);
    await api().create(resourcesPath(ref.namespace), newResource(ref.name, SPEC));
    const compared = await comparison.withFresh(ref, SPEC);
    expect(compared.got).toEqual(compared.fresh);
  });

  test('while it is being made leaves nothing behind', async () => {
    lab.kubelet.hold(() => true);
    const ref = await comparison.install(SPEC);
    const rule = proxy.on(
      { verb: 'apply', resource: 'deployments', namespace: ref.namespace },
      {
        kind: 'call',
        before: () => remove(ref),
      },
    );
    await until('the deletion', async () => (rule.hits > 0 ? true : undefined));
    rule.release();
    lab.kubelet.reset();
    await until('all but data to be gone', async () => {
      const now = await left(ref);
      return now.every((key) => DATA.includes(key)) ? true : undefined;
    });
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
    expect((await left(ref)).filter((key) => !DATA.includes(key))).toEqual([]);
  });

  test('with its namespace is not made again', async () => {
    const ref = await comparison.install(SPEC);
    await untilReady(api(), ref);
    const mark = await lab.cluster.auditMark();
    await lab.cluster.deleteNamespace(ref.namespace);
    const made = (await writesSince(lab.cluster, mark, { namespace: ref.namespace })).filter(
      ({ code, resource }) => code === 201 && resource !== 'events',
    );
    expect(made).toEqual([]);
  });

  test.for([
    ['making', 'apply', {}, { networkPolicy: { enabled: true } }, 'networkpolicies'],
    ['removing', 'delete', { networkPolicy: { enabled: true } }, {}, 'networkpolicies'],
  ] as const)('tells when it may not act on one kind of child: %s', async ([, verb, from, to, resource]) => {
    const ref = await comparison.install(policies(from));
    await untilReady(api(), ref);
    const rule = proxy.on(
      { verb, resource, namespace: ref.namespace },
      { kind: 'answer', status: 403, reason: 'Forbidden' },
    );
    await comparison.change(ref, { ...policies(to), proxy: { replicas: 3 } });
    await untilTold(
      api(),
      ref,
      'Stalled',
      ({ reason, message }) => reason === 'ApplyRefused' && message.includes('NetworkPolicy'),
    );
    rule.release();
    await untilReady(api(), ref);
    const fresh = await comparison.withFresh(ref, { ...policies(to), proxy: { replicas: 3 } });
    expect(fresh.got).toEqual(fresh.fresh);
  });

  test('raises no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});
