import { afterAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, HOST, oneDomain } from './gateway.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';
import type { Plural } from './gateway.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';

const MARK = 'marked4secrecy';
const GENERATED = ['gateway-client-keys', 'gateway-keys', 'gateway-logins', 'gateway-postgres-password'];
/** Everything that can be read without the right to read Secrets. */
const READABLE: readonly Plural[] = [
  'claudenexuses',
  'events',
  'pods',
  'services',
  'serviceaccounts',
  'persistentvolumeclaims',
  'deployments',
  'replicasets',
  'statefulsets',
  'jobs',
  'cronjobs',
  'networkpolicies',
  'ingresses',
  'poddisruptionbudgets',
  'horizontalpodautoscalers',
];

const generated = (gateway: Gateway): Promise<readonly TestObject[]> =>
  Promise.all(GENERATED.map((name) => gateway.api.get(`${gateway.collection('secrets')}/${name}`)));

const contents = async (gateway: Gateway) => (await generated(gateway)).map((secret) => secret['data']);

/** Every secret text of a namespace: passwords, keys, addresses. */
const secretTexts = async (gateway: Gateway): Promise<readonly string[]> => {
  const secrets = await gateway.api.list(gateway.collection('secrets'));
  const texts = secrets.flatMap(({ data }) =>
    Object.values((data ?? {}) as Record<string, string>).map((value) =>
      Buffer.from(value, 'base64').toString(),
    ),
  );
  // Documents hold keys and passwords among words that may be seen.
  const words = texts
    .flatMap((text) => text.split(/["'\s:@/]+/))
    // The address of a Service is no secret, though it is part of one.
    .filter((word) => word.length >= 20 && !word.endsWith('.svc'));
  return [...new Set([...words, ...words.map((word) => Buffer.from(word).toString('base64'))])];
};

const clientKeys = (key: string) => [{ name: 'alice', secretRef: { name: 'clients', key } }];

describe('secrets', () => {
  let operator: OperatorUnderTest;
  const lab = setUp(async (lab) => {
    operator = await OperatorUnderTest.start(lab.cluster, {
      env: { LOG_LEVEL: 'trace', LEADER_ELECTION: 'false' },
    });
  });
  afterAll(() => operator?.stop());

  const everythingReadable = async (gateway: Gateway): Promise<string> => {
    const lists = await Promise.all(
      READABLE.map(async (plural) => JSON.stringify(await gateway.api.list(gateway.collection(plural)))),
    );
    // Of Secrets too everything but the contents: names, labels, annotations, who applied what.
    const secrets = await gateway.api.list(gateway.collection('secrets'));
    const metadata = secrets.map((secret) => JSON.stringify(secret.metadata));
    return [...lists, ...metadata, operator.output, await operator.metrics()].join('\n');
  };

  test('that were generated stay as they are through restarts, and go with nothing but themselves', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const before = await contents(gateway);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await operator.stop(signal);
      await operator.start();
      const mark = await lab.cluster.auditMark();
      await gateway.annotate({ 'example.com/look': signal });
      await until('a look of the new operator', async () =>
        (await lab.cluster.auditOf('operator', mark)).some(({ name }) => name === 'gateway-logins')
          ? true
          : undefined,
      );
    }
    await gateway.untilReady();
    expect(await contents(gateway)).toEqual(before);
    expect(at(await gateway.resource(), 'status.generatedSecrets')).toEqual(GENERATED);
  });

  test('that were deleted are made anew with a warning, but for the password of data', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const [before, password] = [await contents(gateway), await gateway.texts('gateway-postgres-password')];
    const reasonsTold = async (): Promise<readonly unknown[]> =>
      (await gateway.api.list(gateway.collection('events')))
        .filter((event) => event['reason'] === 'GeneratedSecretLost')
        .map((event) => String(event['note']).replace(/^Secret (\S+) .*$/, '$1'))
        .toSorted();
    for (const name of GENERATED) await gateway.api.remove(`${gateway.collection('secrets')}/${name}`);
    const lost = await gateway.untilReason('DatabaseReady', 'DatabasePasswordLost');
    expect(lost.message).toContain('gateway-postgres-password');
    await until('the others to be back', async () => {
      const secrets = await gateway.api.list(gateway.collection('secrets'));
      const names = new Set(secrets.map(({ metadata }) => metadata.name));
      return GENERATED.filter((name) => names.has(name)).length === GENERATED.length - 1 ? true : undefined;
    });
    await until('the warnings', async () => ((await reasonsTold()).length === 3 ? true : undefined));
    expect(await reasonsTold()).toEqual(GENERATED.slice(0, 3));
    // As the message says: the old password is still part of another Secret.
    const ownerUrl = (await gateway.texts('gateway-database'))['ownerUrl'] ?? '';
    const found = decodeURIComponent(new URL(ownerUrl).password);
    expect({ password: found }).toEqual(password);
    await gateway.secret('gateway-postgres-password', { password: found });
    await gateway.untilReady();
    const after = await contents(gateway);
    expect(after[3]).toEqual(before[3]);
    for (const index of [0, 1, 2]) expect(after[index]).not.toEqual(before[index]);
  });

  test('are nowhere but in Secrets', async () => {
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    await gateway.secret('anthropic', { 'api-key': `sk-ant-api03-${MARK}-credential-0123456789` });
    await gateway.secret('clients', { alice: `${MARK}-client-key-0123456789`, bad: `${MARK} with spaces` });
    await gateway.secret('dashboard', { key: `${MARK}-dashboard-key-0123456789` });
    const [domain] = oneDomain().domains;
    await gateway.create({
      domains: [{ ...domain, clientKeys: clientKeys('alice') }],
      dashboard: { keySecretRef: { name: 'dashboard', key: 'key' } },
      database: { managed: { backup: {} } },
    });
    await gateway.untilReady();
    // Unusable ones are quoted nowhere either.
    await gateway.patch({ domains: [{ ...domain, clientKeys: clientKeys('bad') }] });
    await gateway.untilReason('CredentialsReady', 'CredentialInvalid');
    const other = { host: 'other.example.com', credential: domain?.credential };
    await gateway.patch({ domains: [{ ...domain, clientKeys: clientKeys('alice') }, other] });
    await gateway.untilReady();
    await gateway.annotate({
      'claudenexus.dev/rotate-logins': 'first',
      'claudenexus.dev/rotate-dashboard-key': 'first',
    });
    const before = await secretTexts(gateway);
    await gateway.untilAt(gateway.path, 'status.rotations.logins', (value) => value === 'first');
    const url = `postgresql://somebody:${MARK}-password@db.example.com:5432/nexus`;
    await gateway.secret('outside', { ownerUrl: url, proxyUrl: url, dashboardUrl: `x${url}` });
    await gateway.patch({ database: { managed: null, external: { secretRef: { name: 'outside' } } } });
    await gateway.untilReason('DatabaseReady', 'DatabaseSecretInvalid');

    const texts = [...before, ...(await secretTexts(gateway))];
    const readable = await everythingReadable(gateway);
    expect(texts.length).toBeGreaterThan(15);
    expect(readable).toContain(HOST);
    expect(readable).toContain('controller_runtime_reconcile_total');
    expect(texts.filter((text) => readable.includes(text))).toEqual([]);
    expect(readable).not.toContain(MARK);
    expect(readable).not.toContain(Buffer.from(MARK).toString('base64').slice(0, 16));
  });
});
