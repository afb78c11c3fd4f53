import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { Comparison } from './comparison.ts';
import { choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { complaints, stateOf, writesAtRest } from './oracles.ts';
import { condition, putSecret, untilReady, untilTold } from './resource.ts';
import { setUp } from './set-up.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { ResourceRef } from './resource.ts';

type Spec = Readonly<Record<string, unknown>>;

const SPEC: Spec = specOf(choiceOf({ ingress: 'on', replicas: 'two' }));
const BAD_IMAGE = 'example.com/none:0';
/** Its tag is the version of PostgreSQL. */
const BAD_DATABASE = 'example.com/no-postgres';

const domainWith = (name: string, key: string): Spec => ({
  ...SPEC,
  domains: [{ host: 'claude.example.com', credential: { secretRef: { name, key } } }],
});

/** Specs the schema takes and nobody can bring about, with the condition that says so; what ran goes on as it was. */
const MISTAKES: readonly (readonly [what: string, spec: Spec, condition: string, reason: string])[] = [
  ['a Secret that does not exist', domainWith('absent', 'api-key'), 'CredentialsReady', 'SecretNotFound'],
  [
    'a key the Secret does not have',
    domainWith('anthropic', 'absent'),
    'CredentialsReady',
    'SecretKeyNotFound',
  ],
  ['a Secret without a usable key', domainWith('empty', 'api-key'), 'CredentialsReady', 'CredentialInvalid'],
  [
    'an external database without its Secret',
    { ...SPEC, database: { external: { secretRef: { name: 'absent' } } } },
    'DatabaseReady',
    'SecretNotFound',
  ],
  [
    'an external database without addresses',
    { ...SPEC, database: { external: { secretRef: { name: 'anthropic' } } } },
    'DatabaseReady',
    'DatabaseSecretInvalid',
  ],
  [
    'a cluster where CloudNativePG is missing',
    { ...SPEC, database: { cloudNativePG: {} } },
    'DatabaseReady',
    'CloudNativePGMissing',
  ],
];

describe('mistakes in a spec', () => {
  let operator: OperatorProcess;
  let ref: ResourceRef;
  let original: Spec;
  const lab = setUp(async ({ cluster }) => {
    operator = await runOperator(cluster);
  });
  afterAll(() => operator?.stop());
  const api = () => lab.cluster.api();
  const comparison = new Comparison(lab, async (namespace) => {
    await prepareSecrets(api(), namespace);
    await putSecret(api(), { namespace, name: 'empty' }, { 'api-key': 'replace-with-your-api-key' });
  });
  beforeAll(async () => {
    ref = await comparison.install(SPEC);
    original = (await comparison.settled(ref, SPEC)).state;
  });

  test.for(MISTAKES)('%s: is told, what ran is left as it was, and taking it back heals', async (mistake) => {
    const [, spec, type, reason] = mistake;
    await comparison.change(ref, spec);
    const told = await untilTold(
      api(),
      ref,
      type,
      (seen) => seen.status === 'False' && seen.reason === reason,
    );
    expect(condition(told, 'Ready')?.status).toBe('False');
    expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
    expect(workloads(await stateOf(api(), ref))).toEqual(workloads(original));
    await comparison.change(ref, SPEC);
    const back = await comparison.settled(ref, SPEC);
    expect(back.state).toEqual(original);
  });

  test('an image that cannot be pulled: the condition names the pod, the old pods stay, and going back heals', async () => {
    lab.kubelet.fail(runs(BAD_IMAGE), { reason: 'ImagePullBackOff', message: 'no such image' });
    await comparison.change(ref, { ...SPEC, images: { dashboard: BAD_IMAGE } });
    const told = await untilTold(api(), ref, 'DashboardReady', ({ reason }) => reason === 'PodsFailing');
    const { message } = condition(told, 'DashboardReady') ?? { message: '' };
    const pods = await api().list(`/api/v1/namespaces/${ref.namespace}/pods`);
    const failing = pods.filter((pod) => runs(BAD_IMAGE)(pod)).map(({ metadata }) => metadata.name);
    expect(failing.some((name) => message.includes(name))).toBe(true);
    expect(message).toContain('ImagePullBackOff');
    const serving = pods.filter(
      (pod) => pod.metadata.name.startsWith('gateway-dashboard-') && !runs(BAD_IMAGE)(pod),
    );
    expect(serving).toHaveLength(2);
    await comparison.change(ref, SPEC);
    expect((await comparison.settled(ref, SPEC)).state).toEqual(original);
  });

  test('an image of the database that cannot be pulled: the condition names the pod, and going back heals', async () => {
    const isStuck = (pod: TestObject) => String(at(pod, 'spec.containers.0.image')).startsWith(BAD_DATABASE);
    lab.kubelet.fail(isStuck, { reason: 'ImagePullBackOff', message: 'no such image' });
    await comparison.change(ref, { ...SPEC, images: { postgres: BAD_DATABASE } });
    const told = await untilTold(api(), ref, 'DatabaseReady', ({ reason }) => reason === 'PodsFailing');
    expect(condition(told, 'DatabaseReady')?.message).toContain('gateway-postgres-0');
    await comparison.change(ref, SPEC);
    expect((await comparison.settled(ref, SPEC)).state).toEqual(original);
  });

  test('an image whose migration never runs: the proxy stays with the old one, and going back heals', async () => {
    lab.kubelet.fail(runs(BAD_IMAGE), { reason: 'ImagePullBackOff', message: 'no such image' });
    await comparison.change(ref, { ...SPEC, images: { proxy: BAD_IMAGE } });
    await untilTold(api(), ref, 'Migrated', ({ reason }) => reason === 'WaitingForMigration');
    await writesAtRest(lab.cluster, ref.namespace);
    expect(workloads(await stateOf(api(), ref))).toEqual(workloads(original));
    await comparison.change(ref, SPEC);
    expect((await comparison.settled(ref, SPEC)).state).toEqual(original);
  });

  test('an upstream that does not resolve is the proxy’s to tell; going back heals', async () => {
    await comparison.change(ref, { ...SPEC, proxy: { replicas: 2, upstreamUrl: 'https://nowhere.invalid' } });
    await untilReady(api(), ref);
    await comparison.change(ref, SPEC);
    expect((await comparison.settled(ref, SPEC)).state).toEqual(original);
  });

  test('raise no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});

const SERVING = /^(Deployment|StatefulSet|PersistentVolumeClaim|Service|Ingress)\//;

const runs = (image: string) => (pod: TestObject) => at(pod, 'spec.containers.0.image') === image;

/** What serves and what holds data. */
function workloads(state: Spec): Spec {
  return Object.fromEntries(Object.entries(state).filter(([key]) => SERVING.test(key)));
}
