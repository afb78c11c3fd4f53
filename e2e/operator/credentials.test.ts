import { afterAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, HOST, oneDomain } from './gateway.ts';
import { API_KEY } from './resource.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';

const domainSecrets = async (gateway: Gateway): Promise<readonly string[]> => {
  const selector = encodeURIComponent('app.kubernetes.io/component=credentials');
  const secrets = await gateway.api.list(`${gateway.collection('secrets')}?labelSelector=${selector}`);
  return secrets.map(({ metadata: { name } }) => name).filter((name) => name.includes('-domain-'));
};

/** The credential file of a host that has the only domain. */
const file = async (gateway: Gateway): Promise<Readonly<Record<string, unknown>>> => {
  const [name = ''] = await domainSecrets(gateway);
  const text = (await gateway.texts(name))[`${HOST}.credentials.json`];
  return JSON.parse(text ?? '{}') as Record<string, unknown>;
};

describe('credentials', () => {
  let operator: OperatorUnderTest;
  const lab = setUp(async (lab) => {
    operator = await OperatorUnderTest.start(lab.cluster);
  });
  afterAll(() => operator?.stop());

  test('a new key reaches the credential file, and no pod restarts', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const before = await gateway.uids('proxy');
    const deployment = await gateway.api.get(gateway.child('deployments', 'proxy'));
    await gateway.secret('anthropic', { 'api-key': `${API_KEY}-changed` });
    await until('the new key', async () =>
      (await file(gateway))['api_key'] === `${API_KEY}-changed` ? true : undefined,
    );
    await gateway.untilReady();
    const after = await gateway.api.get(gateway.child('deployments', 'proxy'));
    expect(after.metadata.generation).toBe(deployment.metadata.generation);
    expect(await gateway.uids('proxy')).toEqual(before);
  });

  test('another key of the same Secret is none of its business: nothing is written', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const mark = await lab.cluster.auditMark();
    await gateway.secret('anthropic', { 'api-key': API_KEY, other: 'changed' });
    /** Waits until the operator has begun to look at the resource so many times. */
    const looks = (count: number) =>
      until(`look ${count} of the operator`, async () => {
        const seen = await lab.cluster.auditOf('operator', mark);
        const reads = seen.filter(({ name, verb }) => name === 'anthropic' && verb === 'get');
        return reads.length >= count ? seen : undefined;
      });
    await looks(1);
    // One look ends before the next one begins.
    await gateway.annotate({ 'example.com/look': 'again' });
    const requests = await looks(2);
    const mutating = requests.filter(
      ({ verb, resource, namespace }) =>
        namespace === gateway.namespace && !['get', 'list', 'watch'].includes(verb) && resource !== 'leases',
    );
    expect(mutating).toEqual([]);
  });

  test('one more host and one less roll the proxy', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const first = await gateway.uids('proxy');
    const another = { host: 'other.example.com', credential: oneDomain().domains[0]?.credential };
    await gateway.patch({ domains: [...oneDomain().domains, another] });
    await gateway.untilReady();
    const second = await gateway.uids('proxy');
    expect(second).not.toEqual(first);
    expect(await domainSecrets(gateway)).toHaveLength(2);
    expect(Object.keys(await gateway.texts('gateway-client-keys'))).toEqual([HOST, another.host]);
    await gateway.patch(oneDomain());
    await gateway.untilReady();
    expect(await gateway.uids('proxy')).not.toEqual(second);
    expect(await domainSecrets(gateway)).toHaveLength(1);
    expect(Object.keys(await gateway.texts('gateway-client-keys'))).toEqual([HOST]);
  });

  test.each([
    ['a Secret that is missing', 'SecretNotFound', oneDomain(HOST), undefined],
    ['a key that is missing', 'SecretKeyNotFound', oneDomain(HOST), { other: API_KEY }],
    ['a placeholder', 'CredentialInvalid', oneDomain(HOST), { 'api-key': 'replace-with-your-api-key' }],
  ])('%s is named, and noticed once it is there', async (_, reason, spec, texts) => {
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    if (texts !== undefined) await gateway.secret('anthropic', texts);
    await gateway.create(spec);
    const condition = await gateway.untilReason('CredentialsReady', reason);
    expect(condition).toMatchObject({ status: 'False' });
    expect(condition.message).toContain(`domain ${HOST}`);
    expect(await gateway.condition('Stalled')).toMatchObject({ status: 'True', reason });
    expect(await gateway.untilReason('Ready', reason)).toMatchObject({ status: 'False' });
    await gateway.secret('anthropic', { 'api-key': API_KEY });
    await gateway.untilReady();
    expect(await gateway.condition('Stalled')).toBeUndefined();
    expect(await file(gateway)).toMatchObject({ type: 'api_key', api_key: API_KEY });
  });

  test('a Secret that goes leaves the last good credential and the pods in place', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const [before, pods] = [await file(gateway), await gateway.uids('proxy')];
    await gateway.api.remove(`${gateway.collection('secrets')}/anthropic`);
    const condition = await gateway.untilReason('CredentialsReady', 'SecretNotFound');
    expect(condition.message).toContain('the last good credential stays in use');
    expect(await file(gateway)).toEqual(before);
    expect(await gateway.uids('proxy')).toEqual(pods);
  });

  test('a client key of the user replaces the generated one without a rollout', async () => {
    const gateway = await Gateway.ready(lab, oneDomain());
    const pods = await gateway.uids('proxy');
    const generated = (await gateway.texts('gateway-client-keys'))[HOST];
    expect(await file(gateway)).toMatchObject({ client_keys: [{ name: 'default', key: generated }] });
    await gateway.secret('clients', { alice: 'a-key-of-alice-0123456789' });
    const clientKeys = [{ name: 'alice', secretRef: { name: 'clients', key: 'alice' } }];
    await gateway.patch({ domains: [{ ...oneDomain().domains[0], clientKeys }] });
    await gateway.untilReady();
    expect(at(await file(gateway), 'client_keys')).toEqual([
      { name: 'alice', key: 'a-key-of-alice-0123456789' },
    ]);
    expect(await gateway.uids('proxy')).toEqual(pods);
  });
});
