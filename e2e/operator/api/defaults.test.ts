import { describe, expect, test } from 'vitest';

import { installCrd, resourcesPath } from '../crd.ts';
import { setUp } from '../set-up.ts';
import { resource, tryCreate } from './sample.ts';
import type { Spec } from './sample.ts';

const proxy = {
  replicas: 1,
  upstreamUrl: 'https://api.anthropic.com',
  passthrough: 'deny',
  clientAuth: true,
  drainTimeoutSeconds: 300,
  maxInflight: '512Mi',
  logLevel: 'info',
  spool: { max: '2Gi', sizeLimit: '3Gi' },
};
const managed = { version: 18, storage: { size: '20Gi' }, deletionPolicy: 'Retain' };
const ALL = {
  proxy,
  dashboard: { replicas: 1, basePath: '/', logLevel: 'info' },
  database: { managed },
  networkPolicy: { enabled: true },
};

const CASES: readonly (readonly [string, unknown, Spec])[] = [
  ['no spec', undefined, ALL],
  ['an empty spec', {}, ALL],
  ['a spec of nothing, as a template leaves it', null, ALL],
  ['parts of nothing', { proxy: null, database: null, dashboard: { basePath: null } }, ALL],
  [
    'a spec of empty parts',
    { proxy: { spool: {} }, dashboard: {}, database: { managed: { storage: {} } }, networkPolicy: {} },
    ALL,
  ],
  ['another value', { proxy: { replicas: 3 } }, { ...ALL, proxy: { ...proxy, replicas: 3 } }],
  [
    'half a spool',
    { proxy: { spool: { sizeLimit: '5Gi' } } },
    { ...ALL, proxy: { ...proxy, spool: { max: '2Gi', sizeLimit: '5Gi' } } },
  ],
  [
    'an external database, and no managed one beside it',
    { database: { external: { secretRef: { name: 'database' } } } },
    { ...ALL, database: { external: { secretRef: { name: 'database' } } } },
  ],
  [
    'a cluster of CloudNativePG',
    { database: { cloudNativePG: {} } },
    {
      ...ALL,
      database: { cloudNativePG: { instances: 3, storage: { size: '20Gi' }, deletionPolicy: 'Retain' } },
    },
  ],
  [
    'a backup and a restore',
    { database: { managed: { backup: {}, restore: { claimName: 'old' } } } },
    {
      ...ALL,
      database: {
        managed: {
          ...managed,
          backup: { schedule: '0 3 * * *', keep: 7, storage: { size: '20Gi' }, suspend: false },
          restore: { claimName: 'old', file: 'latest' },
        },
      },
    },
  ],
  [
    'autoscaling and monitoring',
    { autoscaling: {}, monitoring: { serviceMonitor: {} } },
    {
      ...ALL,
      autoscaling: { minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 70 },
      monitoring: { serviceMonitor: { interval: '30s' } },
    },
  ],
];

describe('what the API server fills in and leaves out', () => {
  let namespace = '';
  const lab = setUp(async (lab) => {
    await installCrd(lab.cluster);
    namespace = await lab.namespace();
  });

  test.each(CASES)('the defaults of %s', async (_, spec, complete) => {
    const answer = await tryCreate(lab.cluster.api(), namespace, spec);
    expect(answer.status).toBe(201);
    expect((answer.body as { spec: unknown }).spec).toEqual(complete);
  });

  test('a field that is not of the schema is left out', async () => {
    const spec = { nonsense: 1, proxy: { nonsense: { deep: 1 } } };
    const path = `${resourcesPath(namespace)}?dryRun=All`;
    const created = await lab.cluster.api().create(path, resource(spec));
    expect(created['spec']).toEqual(ALL);
  });

  test('fields of core types are kept as they are, known to us or not', async () => {
    const affinity = { nodeAffinity: { fieldOfNextYear: [{ a: 1 }] } };
    const tolerations = [{ key: 'a', operator: 'Exists', fieldOfNextYear: true }];
    const from = [{ podSelector: { matchLabels: { a: 'b' } }, fieldOfNextYear: 1 }];
    const spec = { proxy: { scheduling: { affinity, tolerations } }, networkPolicy: { from } };
    const answer = await tryCreate(lab.cluster.api(), namespace, spec);
    expect(answer).toMatchObject({ status: 201, body: { spec } });
  });

  test('the status is its own resource: what comes with the spec is left out, and the other way round', async () => {
    const path = resourcesPath(namespace);
    const api = lab.cluster.api();
    const created = await api.create(path, { ...resource({}, 'apart'), status: { url: 'http://a' } });
    expect(created['status']).toBeUndefined();
    const patched = await api.patch(`${path}/apart/status`, {
      spec: { proxy: { replicas: 9 } },
      status: { url: 'http://b', nonsense: 1 },
    });
    expect(patched).toMatchObject({ metadata: { generation: 1 }, spec: ALL, status: { url: 'http://b' } });
    expect(patched['status']).toEqual({ url: 'http://b' });
  });
});
