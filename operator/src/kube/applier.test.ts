import { describe, expect, it } from 'vitest';

import { Applier } from './applier.ts';
import { Cache } from './cache.ts';
import { ApiError, NameTakenError, StaleCacheError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { createOperatorMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { Reflector } from './reflector.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';

const MANAGER = 'claude-nexus-operator';
const ref = { namespace: 'ns', name: 'a-proxy' };
const LABELS = { 'app.kubernetes.io/managed-by': MANAGER, 'app.kubernetes.io/instance': 'a' };

/** An operator process: its cache and its applier. */
async function operator(api: FakeApi, clock: FakeClock) {
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log } = captureLogger();
  const cache = new Cache({ log, metrics });
  const common = { client: api, clock, random: () => 0.5, log, metrics };
  const stop = new AbortController();
  for (const kind of [KINDS.Deployment, KINDS.Secret]) {
    const only =
      kind === KINDS.Secret
        ? { metadataOnly: true }
        : { labelSelector: `app.kubernetes.io/managed-by=${MANAGER}` };
    void new Reflector({ ...common, ...only, kind, sink: cache.sink(kind) }).run(stop.signal);
  }
  await settle();
  const applier = new Applier({ client: api, cache, fieldManager: MANAGER });
  const apply = (image = 'one'): Promise<string> => applier.apply(KINDS.Deployment, deployment(image));
  return { cache, applier, apply };
}

async function world() {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  return { clock, api, ...(await operator(api, clock)) };
}

function ownedBy(uid: string): object {
  const owner = { apiVersion: 'claudenexus.dev/v1alpha1', kind: 'ClaudeNexus', name: 'a', uid };
  return { ownerReferences: [{ ...owner, controller: true }] };
}

function deployment(image: string, metadata: object = ownedBy('owner')): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...ref, labels: LABELS, ...metadata },
    spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
  };
}

describe('Applier.apply', () => {
  it('does not apply what was decided from a state of the past', async () => {
    const { api, clock, apply } = await world();
    await apply('one');
    const later = await operator(api, clock);
    api.holdEvents();
    api.edit(KINDS.Deployment, ref, (object) => ({
      ...object,
      metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 },
    }));
    api.forgetRequests();
    await expect(later.apply('one')).rejects.toBeInstanceOf(StaleCacheError);
    expect(api.writes()).toEqual([]);
    api.releaseEvents();
    await settle();
    expect(await later.apply('one')).not.toBe('created');
  });

  it('creates, changes, and sends nothing at rest', async () => {
    const { api, apply } = await world();
    expect([await apply('one'), await apply('one'), await apply('two')]).toEqual([
      'created',
      'unchanged',
      'configured',
    ]);
    // The first one must not take fields from whoever made the object in between.
    expect(api.writes().map(({ force }) => force)).toEqual([false, true]);
    api.forgetRequests();
    expect(await apply('two')).toBe('unchanged');
    expect(api.requests).toEqual([]);
  });

  it('is not moved by the status, by its own finalized metadata or by the order of fields', async () => {
    const { api, apply } = await world();
    await apply();
    api.edit(KINDS.Deployment, ref, (object) => ({ status: { readyReplicas: 1 }, ...object }));
    api.forgetRequests();
    expect(await apply()).toBe('unchanged');
    expect(api.requests).toEqual([]);
  });

  it('reverts what somebody changed, and keeps what they added', async () => {
    const { api, apply } = await world();
    await apply();
    api.edit(KINDS.Deployment, ref, () => ({
      ...(api.peek(KINDS.Deployment, ref) as KubeObject),
      spec: { replicas: 5, template: { spec: { containers: [{ name: 'main', image: 'theirs' }] } } },
    }));
    expect(await apply()).toBe('configured');
    expect(api.peek(KINDS.Deployment, ref)?.['spec']).toEqual({
      replicas: 5,
      template: { spec: { containers: [{ name: 'main', image: 'one' }] } },
    });
  });

  it('knows while the cache does not show the applied spec', async () => {
    const { api, applier, apply } = await world();
    expect(applier.isAhead(KINDS.Deployment, ref)).toBe(false);
    await apply();
    await settle();
    expect(applier.isAhead(KINDS.Deployment, ref)).toBe(false);
    api.holdEvents();
    await apply('two');
    expect(applier.isAhead(KINDS.Deployment, ref)).toBe(true);
    api.releaseEvents();
    await settle();
    expect(applier.isAhead(KINDS.Deployment, ref)).toBe(false);
  });

  it('makes anew what was deleted', async () => {
    const { api, apply } = await world();
    await apply();
    api.remove(KINDS.Deployment, ref);
    expect(await apply()).toBe('created');
  });

  it('does not repeat itself while the cache lags, but notices a change back to what was before', async () => {
    const { api, apply } = await world();
    await apply('one');
    const before = api.peek(KINDS.Deployment, ref) as KubeObject;
    api.holdEvents();
    await apply('two');
    api.forgetRequests();
    expect(await apply('two')).toBe('unchanged');
    expect(api.requests).toEqual([]);
    api.edit(KINDS.Deployment, ref, (object) => ({ ...object, spec: before['spec'] }));
    api.releaseEvents();
    expect(await apply('two')).toBe('configured');
  });

  it('sends one request per object after a restart, which changes nothing, then none', async () => {
    const { api, clock, apply } = await world();
    await apply();
    const version = api.peek(KINDS.Deployment, ref)?.metadata.resourceVersion;
    const next = await operator(api, clock);
    api.forgetRequests();
    expect(await next.apply()).toBe('unchanged');
    expect(api.writes()).toHaveLength(1);
    expect(api.peek(KINDS.Deployment, ref)?.metadata.resourceVersion).toBe(version);
    await next.apply();
    expect(api.writes()).toHaveLength(1);
  });

  it.each<[string, object]>([
    ['has no labels of ours', {}],
    ['belongs to another owner', { labels: LABELS, ...ownedBy('another') }],
    ['is of another instance', { labels: { ...LABELS, 'app.kubernetes.io/instance': 'b' } }],
  ])('refuses to touch an object that %s', async (_, metadata) => {
    const { api, apply } = await world();
    api.seed({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...ref, ...metadata }, spec: {} });
    await expect(apply()).rejects.toBeInstanceOf(NameTakenError);
    expect(api.writes()).toEqual([]);
  });

  it('refuses an object that somebody put in the place of ours', async () => {
    const { api, apply } = await world();
    await apply();
    api.remove(KINDS.Deployment, ref);
    api.seed({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref, spec: {} });
    await expect(apply()).rejects.toThrow('Deployment ns/a-proxy exists and is not of this resource');
  });

  it.each(['labels', 'ownerReferences'])('takes an object of ours back that lost its %s', async (field) => {
    const { api, apply } = await world();
    await apply();
    api.edit(KINDS.Deployment, ref, (object) => {
      Reflect.deleteProperty(object.metadata, field);
      return object;
    });
    expect(await apply()).toBe('configured');
    expect(api.peek(KINDS.Deployment, ref)?.metadata).toMatchObject({ labels: LABELS, ...ownedBy('owner') });
  });

  it('lets go of an object that its owner is to leave behind, and takes it back', async () => {
    const { api, applier, apply } = await world();
    await apply();
    await settle();
    const free = deployment('one', {});
    const owners = () => api.peek(KINDS.Deployment, ref)?.metadata.ownerReferences?.length ?? 0;
    await expect(applier.apply(KINDS.Deployment, free, 'another')).rejects.toBeInstanceOf(NameTakenError);
    expect(await applier.apply(KINDS.Deployment, free, 'owner')).toBe('configured');
    expect(owners()).toBe(0);
    await settle();
    expect(await apply()).toBe('configured');
    expect(owners()).toBe(1);
  });

  it('takes away itself what the API server would refuse to make null of', async () => {
    const { api, applier, apply } = await world();
    const withLimits = deployment('one');
    const limits = { resources: { limits: { cpu: '1' } } };
    await applier.apply(KINDS.Deployment, {
      ...withLimits,
      spec: { ...(withLimits['spec'] as object), ...limits },
    });
    await settle();
    const refusal = new ApiError('null', { status: 422, reason: 'Invalid' });
    api.failNext('apply', refusal);
    expect(await apply()).toBe('configured');
    expect(api.peek(KINDS.Deployment, ref)?.['spec']).toEqual(withLimits['spec']);
    const patches = api.writes().filter(({ verb }) => verb === 'patch');
    expect(patches.map(({ body }) => body)).toEqual([expect.objectContaining({ spec: { resources: null } })]);
    // What is refused for another reason stays refused.
    api.failNext('apply', refusal);
    await expect(apply('two')).rejects.toBe(refusal);
  });

  it('looks again when somebody makes the object in between', async () => {
    const { api, apply } = await world();
    api.failNext('apply', new ApiError('conflict', { status: 409, reason: 'Conflict' }));
    api.beforeNext('apply', () => {
      api.seed({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref, spec: {} });
    });
    await expect(apply()).rejects.toBeInstanceOf(NameTakenError);
  });

  it('leaves an object alone that is being deleted', async () => {
    const { api, apply } = await world();
    await apply();
    api.edit(KINDS.Deployment, ref, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: ['x'], deletionTimestamp: 'now' },
    }));
    api.forgetRequests();
    expect(await apply('two')).toBe('unchanged');
    expect(api.writes()).toEqual([]);
  });

  it('notices a change of a Secret it never sees the content of', async () => {
    const { api, applier, cache } = await world();
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...ref, labels: LABELS },
      data: { k: 'djE=' },
    };
    const apply = (): Promise<string> => applier.apply(KINDS.Secret, secret);
    expect([await apply(), await apply()]).toEqual(['created', 'unchanged']);
    expect(api.requests.filter(({ verb }) => verb === 'apply')).toHaveLength(1);
    expect(cache.get(KINDS.Secret, ref)?.['data']).toBeUndefined();
    api.edit(KINDS.Secret, ref, (object) => ({ ...object, data: { k: 'djI=' } }));
    expect(await apply()).toBe('configured');
    expect(api.peek(KINDS.Secret, ref)?.['data']).toEqual({ k: 'djE=' });
  });
});

async function withObject() {
  const it = await world();
  await it.apply();
  const seen = it.cache.get(KINDS.Deployment, ref) as KubeObject;
  it.api.forgetRequests();
  return { ...it, seen, remove: () => it.applier.remove(KINDS.Deployment, seen) };
}

describe('Applier.remove', () => {
  it('deletes by uid and resource version, with the policy asked for', async () => {
    const { api, applier, seen } = await withObject();
    expect(await applier.remove(KINDS.Deployment, seen, { propagationPolicy: 'Orphan' })).toBe('deleted');
    const { uid, resourceVersion } = seen.metadata;
    expect(api.writes()[0]?.body).toEqual({
      preconditions: { uid, resourceVersion },
      propagationPolicy: 'Orphan',
    });
  });

  it('leaves another object of the same name alone', async () => {
    const { api, remove } = await withObject();
    api.remove(KINDS.Deployment, ref);
    api.seed(deployment('other'));
    expect(await remove()).toBe('gone');
    expect(api.writes()).toEqual([]);
  });

  it('is content when it is gone already', async () => {
    const { api, remove } = await withObject();
    api.remove(KINDS.Deployment, ref);
    expect(await remove()).toBe('gone');
  });

  it('keeps what changes after the last look', async () => {
    const { api, remove } = await withObject();
    api.beforeNext('delete', () => {
      api.edit(KINDS.Deployment, ref, (object) => ({ ...object, status: { replicas: 1 } }));
    });
    expect(await remove()).toBe('kept');
    expect(api.peek(KINDS.Deployment, ref)).toBeDefined();
  });

  it('keeps what the last look does not confirm', async () => {
    const { api, applier, seen } = await withObject();
    expect(await applier.remove(KINDS.Deployment, seen, { confirm: () => false })).toBe('kept');
    expect(api.writes()).toEqual([]);
  });
});
