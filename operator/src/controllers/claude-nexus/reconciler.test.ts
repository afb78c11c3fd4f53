import { describe, expect, it, vi } from 'vitest';

import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import { Applier } from '../../kube/applier.ts';
import { Cache } from '../../kube/cache.ts';
import { ApiError, ApiUnreachableError, StaleCacheError } from '../../kube/errors.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { Kind } from '../../kube/kinds.ts';
import { createOperatorMetrics } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { StatusWriter } from '../../kube/status-writer.ts';
import { captureLogger } from '../../kube/testing/capture-logger.ts';
import { FakeApi } from '../../kube/testing/fake-api.ts';
import { FakeClock, settle } from '../../kube/testing/fake-clock.ts';
import { FIELD_MANAGER, MANAGED_SELECTOR } from '../../resources/names.ts';
import { claudeNexus } from '../../testing/claude-nexus.ts';
import { OWNED_KINDS } from './owned-kinds.ts';
import { Reconciler } from './reconciler.ts';
import { watchResources } from './watch-resources.ts';

const KEY = 'team/gateway';
const OWNER = { namespace: 'team', name: 'gateway' };

interface Told {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
}

/** An operator that just started. */
async function operator(api: FakeApi, clock: FakeClock) {
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log, ...logged } = captureLogger();
  const cache = new Cache({ log, metrics });
  const queued: string[] = [];
  watchResources(cache, (key) => queued.push(key));
  const common = { client: api, clock, random: () => 0.5, log, metrics };
  const watch = (kind: Kind, options: { labelSelector?: string; metadataOnly?: boolean } = {}) => {
    const reflector = new Reflector({ ...common, ...options, kind, sink: cache.sink(kind) });
    cache.addSource(() => reflector.hasSynced());
    void reflector.run(new AbortController().signal);
  };
  watch(KINDS.ClaudeNexus);
  watch(KINDS.Secret, { metadataOnly: true });
  for (const kind of OWNED_KINDS) watch(kind, { labelSelector: MANAGED_SELECTOR });
  await settle();
  const events: Told[] = [];
  let random = 0;
  const reconciler = new Reconciler({
    client: api,
    cache,
    applier: new Applier({ client: api, cache, fieldManager: FIELD_MANAGER }),
    events: { record: (_, event) => events.push(event) },
    log,
    has: () => false,
    clusterScope: false,
    random: (bytes) => Buffer.alloc(bytes, (random += 1)),
    now: () => clock.now(),
    images: { proxy: 'proxy:1', dashboard: 'dashboard:1', postgres: 'postgres' },
    runbookUrl: 'https://runbooks.example/alerts',
    statusWriter: new StatusWriter({ client: api, clock, fieldManager: `${FIELD_MANAGER}-status` }),
    resyncMs: 600_000,
    jitter: () => 0.5,
  });
  const reconcile = async () => {
    const result = await reconciler.reconcile(KEY);
    await settle();
    return result;
  };
  return { cache, events, queued, reconcile, logged };
}

async function world(owner: ClaudeNexus = claudeNexus()) {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  api.seed(owner);
  return { api, clock, ...(await operator(api, clock)) };
}

function refused(status: number, reason: string): ApiError {
  return new ApiError('no', { status, reason });
}

function conditionOf(api: FakeApi, type: string): string | undefined {
  const owner = api.peek(KINDS.ClaudeNexus, OWNER) as ClaudeNexus | undefined;
  const found = owner?.status?.conditions?.find((condition) => condition.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

function rollOut(api: FakeApi): void {
  for (const kind of [KINDS.Deployment, KINDS.StatefulSet]) {
    for (const { metadata } of api.objects(kind)) {
      api.edit(kind, { namespace: 'team', name: metadata.name }, (object) => ({
        ...object,
        status: {
          observedGeneration: object.metadata.generation,
          replicas: 1,
          updatedReplicas: 1,
          availableReplicas: 1,
        },
      }));
    }
  }
  for (const { metadata } of api.objects(KINDS.Job)) {
    api.edit(KINDS.Job, { namespace: 'team', name: metadata.name }, (object) => ({
      ...object,
      status: { conditions: [{ type: 'Complete', status: 'True' }] },
    }));
  }
}

describe('Reconciler', () => {
  it('goes by the spec there is, not by one of the past that its cache shows', async () => {
    const { api, reconcile } = await world(claudeNexus({ spec: { proxy: { replicas: 1 } } }));
    await reconcile();
    api.holdEvents();
    const { spec, metadata } = claudeNexus({ spec: { proxy: { replicas: 3 } } });
    api.edit(KINDS.ClaudeNexus, OWNER, (object) => ({
      ...object,
      metadata: { ...object.metadata, generation: (metadata.generation ?? 0) + 1 },
      spec,
    }));
    await reconcile();
    const proxy = api.peek(KINDS.Deployment, { namespace: 'team', name: 'gateway-proxy' });
    expect(proxy?.['spec']).toMatchObject({ replicas: 3 });
  });

  it('makes every child with one event each, becomes ready, and writes nothing at rest', async () => {
    const { api, events, reconcile } = await world();
    await reconcile();
    const writes = api.writes().filter(({ kind }) => kind !== 'ClaudeNexus');
    const created = events.filter(({ reason }) => reason === 'Created');
    expect(created.map(({ note }) => note)).toEqual([...new Set(created.map(({ note }) => note))]);
    expect(created).toHaveLength(writes.length);
    expect(conditionOf(api, 'Ready')).toMatch('Unknown');
    expect(conditionOf(api, 'ProxyReady')).toBe('Unknown Progressing');
    rollOut(api);
    await settle();
    await reconcile();
    expect(conditionOf(api, 'Ready')).toBe('True AllReady');
    expect(events.filter(({ reason }) => reason === 'AllReady')).toHaveLength(1);
    api.forgetRequests();
    const count = events.length;
    await reconcile();
    expect(api.writes()).toEqual([]);
    expect(events).toHaveLength(count);
  });

  it('does not say ready of what it has just changed or the cache does not show yet', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    rollOut(api);
    await settle();
    await reconcile();
    api.edit(KINDS.ClaudeNexus, OWNER, (owner) => ({
      ...owner,
      metadata: { ...owner.metadata, generation: 2 },
      spec: {
        ...(owner as ClaudeNexus).spec,
        proxy: { ...(owner as ClaudeNexus).spec.proxy, logLevel: 'debug' },
      },
    }));
    await settle();
    api.holdEvents();
    await reconcile();
    expect(conditionOf(api, 'ProxyReady')).toBe('False Progressing');
    expect(conditionOf(api, 'Ready')).toBe('False Progressing');
    expect(conditionOf(api, 'DashboardReady')).toBe('True Available');
    await reconcile();
    expect(conditionOf(api, 'ProxyReady')).toBe('False Progressing');
    api.releaseEvents();
  });

  it('looks for users of the old login at the source before it is disabled', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    const ref = { namespace: 'team', name: 'gateway-logins' };
    api.edit(KINDS.Secret, ref, (secret) => {
      const data = secret['data'] as Record<string, string>;
      const state = JSON.parse(Buffer.from(data['state.json'] ?? '', 'base64').toString()) as object;
      const text = JSON.stringify({ ...state, phase: 'switching', enabled: ['a', 'b'] });
      return { ...secret, data: { 'state.json': Buffer.from(text).toString('base64') } };
    });
    await settle();
    // The Job for both logins.
    await reconcile();
    const [proxy] = api.objects(KINDS.Deployment);
    rollOut(api);
    await settle();
    api.holdEvents();
    api.seed({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'team', name: 'late', labels: proxy?.metadata.labels ?? {} },
      spec: {
        containers: [
          { env: [{ name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'x', key: 'proxyUrlB' } } }] },
        ],
      },
    });
    const phase = () => {
      const data = api.peek(KINDS.Secret, ref)?.['data'] as Record<string, string>;
      return (JSON.parse(Buffer.from(data['state.json'] ?? '', 'base64').toString()) as { phase: string })
        .phase;
    };
    await reconcile();
    expect(phase()).toBe('switching');
    api.remove(KINDS.Pod, { namespace: 'team', name: 'late' });
    await reconcile();
    expect(phase()).toBe('retiring');
    api.releaseEvents();
  });

  it('leaves a foreign object of the same name alone, makes the others and says so', async () => {
    const { api, clock } = await world();
    const foreign: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'team', name: 'gateway-proxy' },
      spec: { ports: [] },
    };
    api.seed(foreign);
    const { events, reconcile } = await operator(api, clock);
    const { requeueAfterMs } = await reconcile();
    expect(requeueAfterMs).toBe(60_000);
    expect(api.peek(KINDS.Service, { namespace: 'team', name: 'gateway-proxy' })?.['spec']).toEqual({
      ports: [],
    });
    expect(api.objects(KINDS.Deployment)).toHaveLength(2);
    expect(conditionOf(api, 'Stalled')).toBe('True NameTaken');
    expect(conditionOf(api, 'ProxyReady')).toBe('False NameTaken');
    expect(events.filter(({ reason }) => reason === 'NameTaken')).toHaveLength(1);
  });

  it('never takes over a foreign Secret where it would generate one', async () => {
    const { api, reconcile } = await world();
    api.seed({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'team', name: 'gateway-keys' },
      data: { mine: 'eA==' },
    });
    await settle();
    await reconcile();
    const told = api.peek(KINDS.ClaudeNexus, OWNER);
    // The second time it knows what it told the first time, and finds nothing else to tell.
    await reconcile();
    expect(api.peek(KINDS.ClaudeNexus, OWNER)).toEqual(told);
    expect(api.peek(KINDS.Secret, { namespace: 'team', name: 'gateway-keys' })?.['data']).toEqual({
      mine: 'eA==',
    });
    expect(conditionOf(api, 'Stalled')).toBe('True NameTaken');
    expect(api.objects(KINDS.Deployment)).toEqual([]);
  });

  it('never writes to a Secret that somebody made in the place of a generated one', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    await settle();
    await reconcile();
    const ref = { namespace: 'team', name: 'gateway-keys' };
    api.remove(KINDS.Secret, ref);
    api.seed({ apiVersion: 'v1', kind: 'Secret', metadata: ref, data: { mine: 'eA==' } });
    await settle();
    await reconcile();
    await reconcile();
    expect(api.peek(KINDS.Secret, ref)?.['data']).toEqual({ mine: 'eA==' });
    expect(conditionOf(api, 'Stalled')).toBe('True NameTaken');
  });

  it('knows a generated Secret whose labels were taken away', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    await settle();
    await reconcile();
    const ref = { namespace: 'team', name: 'gateway-keys' };
    const before = api.peek(KINDS.Secret, ref)?.['data'];
    api.edit(KINDS.Secret, ref, (secret) => ({ ...secret, metadata: { ...secret.metadata, labels: {} } }));
    await settle();
    await reconcile();
    expect(api.peek(KINDS.Secret, ref)?.['data']).toEqual(before);
    expect(conditionOf(api, 'Stalled')).toBeUndefined();
  });

  it.each([
    [refused(422, 'Invalid'), 'True ApplyRefused'],
    [refused(403, 'Forbidden'), 'True ApplyRefused'],
  ])('lets no refusal of one child (%s) keep the others from being made', async (error, stalled) => {
    const { api, reconcile } = await world();
    api.failNext('apply', error, KINDS.StatefulSet);
    await reconcile();
    expect(conditionOf(api, 'Stalled')).toBe(stalled);
    expect(conditionOf(api, 'DatabaseReady')).toBe('False ApplyRefused');
    expect(api.objects(KINDS.Deployment)).toHaveLength(2);
  });

  it('tells what it may not remove, and does the rest', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    const change = { networkPolicy: { enabled: false }, proxy: { ...claudeNexus().spec.proxy, replicas: 3 } };
    api.edit(KINDS.ClaudeNexus, OWNER, (owner) => ({
      ...owner,
      spec: { ...(owner as ClaudeNexus).spec, ...change },
    }));
    await settle();
    api.failNext('delete', refused(403, 'Forbidden'), KINDS.NetworkPolicy);
    await reconcile();
    expect(conditionOf(api, 'Stalled')).toBe('True ApplyRefused');
    expect(api.objects(KINDS.NetworkPolicy)).toHaveLength(1);
    await reconcile();
    expect(conditionOf(api, 'Stalled')).toBeUndefined();
    expect(api.objects(KINDS.NetworkPolicy)).toEqual([]);
  });

  it('gives generated Secrets that lost their owner back to it', async () => {
    const domains = [{ host: 'a.example.com', credential: { secretRef: { name: 'anthropic', key: 'key' } } }];
    const { api, reconcile } = await world(claudeNexus({ spec: { domains } }));
    await reconcile();
    const names = ['gateway-keys', 'gateway-client-keys', 'gateway-logins'];
    const refs = names.map((name) => ({ namespace: 'team', name }));
    const before = refs.map((ref) => api.peek(KINDS.Secret, ref)?.['data']);
    for (const ref of refs) {
      api.edit(KINDS.Secret, ref, (object) => ({
        ...object,
        metadata: { ...object.metadata, ownerReferences: [] },
      }));
    }
    await settle();
    await reconcile();
    const after = refs.map((ref) => api.peek(KINDS.Secret, ref));
    expect(after.map((secret) => secret?.['data'])).toEqual(before);
    expect(after.map((secret) => secret?.metadata.ownerReferences?.[0]?.name)).toEqual(
      names.map(() => 'gateway'),
    );
  });

  it('looks again when a generated Secret goes between look and write', async () => {
    const { api, reconcile } = await world();
    await reconcile();
    const ref = { namespace: 'team', name: 'gateway-logins' };
    api.edit(KINDS.Secret, ref, ({ metadata, ...object }) => ({
      ...object,
      metadata: { ...metadata, ownerReferences: [] },
    }));
    await settle();
    api.failNext('replace', refused(404, 'NotFound'), KINDS.Secret);
    await expect(reconcile()).rejects.toThrow(StaleCacheError);
    await reconcile();
    expect(api.peek(KINDS.Secret, ref)?.metadata.ownerReferences).toHaveLength(1);
  });

  it.each([refused(500, 'InternalError'), refused(429, 'TooManyRequests'), new ApiUnreachableError('gone')])(
    'starts over after %s',
    async (error) => {
      const { api, reconcile } = await world();
      api.failNext('apply', error, KINDS.StatefulSet);
      await expect(reconcile()).rejects.toBe(error);
      await reconcile();
      expect(api.objects(KINDS.StatefulSet)).toHaveLength(1);
    },
  );

  it('stops quietly in a namespace that is being deleted', async () => {
    const { api, reconcile } = await world();
    // Of an answer about a Secret nothing but such reasons is kept.
    const causes = ['NamespaceTerminating'];
    api.failNext('create', new ApiError('no', { status: 403, reason: 'Forbidden', causes }), KINDS.Secret);
    expect(await reconcile()).toEqual({});
    expect(api.objects(KINDS.Deployment)).toEqual([]);
  });

  it('stops quietly when resource and namespace have gone while it worked', async () => {
    const { api, reconcile } = await world();
    vi.spyOn(api, 'create').mockImplementationOnce(() => {
      api.remove(KINDS.ClaudeNexus, OWNER);
      return Promise.reject(refused(404, 'NotFound'));
    });
    expect(await reconcile()).toEqual({});
    expect(api.objects(KINDS.Deployment)).toEqual([]);
  });

  it('leaves a resource alone that is being deleted', async () => {
    const { api, reconcile } = await world(claudeNexus({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
    expect(await reconcile()).toEqual({});
    expect(api.writes()).toEqual([]);
  });

  it('prunes what is not wanted any more, and nothing of somebody else', async () => {
    const backup = { schedule: '0 3 * * *', keep: 7, storage: { size: '1Gi' }, suspend: false };
    const { api, reconcile } = await world(
      claudeNexus({
        spec: {
          database: {
            managed: { version: 18, storage: { size: '1Gi' }, deletionPolicy: 'Retain', backup },
          },
        },
      }),
    );
    await reconcile();
    expect(api.objects(KINDS.CronJob)).toHaveLength(1);
    api.seed({
      ...(api.objects(KINDS.CronJob)[0] as KubeObject),
      metadata: {
        name: 'other',
        namespace: 'team',
        labels: api.objects(KINDS.CronJob)[0]?.metadata.labels ?? {},
      },
    });
    api.edit(KINDS.ClaudeNexus, OWNER, (owner) => ({ ...owner, spec: claudeNexus().spec }));
    await settle();
    await reconcile();
    expect(api.objects(KINDS.CronJob).map(({ metadata }) => metadata.name)).toEqual(['other']);
    expect(api.objects(KINDS.PersistentVolumeClaim)).toHaveLength(1);
  });
});

function secret(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'team', name } };
}

function annotated(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: { x: 'y' } } };
}

describe('watchResources', () => {
  it('queues the resource of a child, the reader of a Secret, and a resource that changed', async () => {
    const domains = [{ host: 'a.example.com', credential: { secretRef: { name: 'anthropic', key: 'key' } } }];
    const { api, queued, reconcile } = await world(claudeNexus({ spec: { domains } }));
    const after = async (change: () => void) => {
      queued.length = 0;
      change();
      await settle();
      return [...new Set(queued)];
    };
    await reconcile();
    expect(await after(() => api.seed(secret('anthropic')))).toEqual([KEY]);
    expect(await after(() => api.seed(secret('unrelated')))).toEqual([]);
    api.remove(KINDS.Secret, { namespace: 'team', name: 'gateway-postgres-password' });
    expect(await after(() => api.seed(secret('gateway-postgres-password')))).toEqual([KEY]);
    expect(
      await after(() => api.remove(KINDS.Service, { namespace: 'team', name: 'gateway-proxy' })),
    ).toEqual([KEY]);
    // Also its status: a reconcile between the write and its echo has compared with an older one.
    expect(
      await after(() => void api.edit(KINDS.ClaudeNexus, OWNER, (o) => ({ ...o, status: { replicas: 9 } }))),
    ).toEqual([KEY]);
    expect(await after(() => void api.edit(KINDS.ClaudeNexus, OWNER, annotated))).toEqual([KEY]);
  });
});
