import { describe, expect, it } from 'vitest';

import type { WatchEvent } from '../api-client.ts';
import { KINDS } from '../kinds.ts';
import type { KubeObject } from '../object.ts';
import { FakeApi } from './fake-api.ts';
import { FakeClock, settle } from './fake-clock.ts';

const FORCE = { fieldManager: 'ours', force: true };
const ref = { namespace: 'ns', name: 'a' };

function configMap(data: Record<string, string>, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref, ...metadata }, data };
}

function label(labels: Record<string, string>): (object: KubeObject) => KubeObject {
  return (object) => ({ ...object, metadata: { ...object.metadata, labels } });
}

describe('FakeApi', () => {
  it('applies as the API server does: drops what is no longer applied, keeps what others own, writes nothing twice', async () => {
    const api = new FakeApi(new FakeClock());
    const first = await api.apply(KINDS.ConfigMap, configMap({ one: '1', two: '2' }), FORCE);
    await api.patch(KINDS.ConfigMap, ref, { data: { foreign: 'x' } }, { fieldManager: 'them' });
    const second = await api.apply(KINDS.ConfigMap, configMap({ one: '1' }), FORCE);
    expect(second['data']).toEqual({ one: '1', foreign: 'x' });
    expect(second.metadata.uid).toBe(first.metadata.uid);
    const third = await api.apply(KINDS.ConfigMap, configMap({ one: '1' }), FORCE);
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  it('refuses to take a field from another manager unless forced', async () => {
    const api = new FakeApi(new FakeClock());
    await api.apply(KINDS.ConfigMap, configMap({ one: 'theirs' }), { fieldManager: 'them', force: false });
    const apply = (force: boolean): Promise<KubeObject> =>
      api.apply(KINDS.ConfigMap, configMap({ one: 'ours' }), { fieldManager: 'ours', force });
    await expect(apply(false)).rejects.toMatchObject({ status: 409 });
    expect((await apply(true))['data']).toEqual({ one: 'ours' });
  });

  it('merges containers by name', async () => {
    const api = new FakeApi(new FakeClock());
    const deployment = (image: string): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: ref,
      spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
    });
    await api.apply(KINDS.Deployment, deployment('a'), FORCE);
    api.edit(KINDS.Deployment, ref, (object) => {
      (object['spec'] as { template: { spec: { containers: object[] } } }).template.spec.containers.push({
        name: 'sidecar',
      });
      return object;
    });
    const merged = await api.apply(KINDS.Deployment, deployment('b'), FORCE);
    expect(merged).toMatchObject({
      metadata: { generation: 3 },
      spec: { template: { spec: { containers: [{ name: 'main', image: 'b' }, { name: 'sidecar' }] } } },
    });
  });

  it('lists in pages, watches by selector and forgets history', async () => {
    const api = new FakeApi(new FakeClock());
    for (const name of ['a', 'b', 'c']) {
      api.seed({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ns', name } });
    }
    const page = await api.list(KINDS.ConfigMap, { limit: 2 });
    const last = await api.list(KINDS.ConfigMap, { limit: 2, continue: page.metadata.continue ?? '' });
    expect([page.items.length, last.items.length, last.metadata.continue]).toEqual([2, 1, undefined]);
    const seen: string[] = [];
    const stop = new AbortController();
    const options = {
      labelSelector: 'mine=yes',
      resourceVersion: page.metadata.resourceVersion,
      timeoutSeconds: 5,
      signal: stop.signal,
    };
    const onEvent = ({ type, object }: WatchEvent): void => void seen.push(`${type} ${object.metadata.name}`);
    const watch = api.watch(KINDS.ConfigMap, options, onEvent);
    await settle();
    api.edit(KINDS.ConfigMap, ref, label({ mine: 'yes' }));
    api.edit(KINDS.ConfigMap, ref, label({ mine: 'no' }));
    api.remove(KINDS.ConfigMap, ref);
    expect(seen).toEqual(['ADDED a', 'DELETED a']);
    stop.abort();
    await watch;
    api.compact();
    await expect(api.watch(KINDS.ConfigMap, options, onEvent)).rejects.toMatchObject({ status: 410 });
  });
});
