import { describe, expect, it } from 'vitest';

import { claudeNexus, managedDatabase } from '../testing/claude-nexus.ts';
import type { ClaudeNexusOptions } from '../testing/claude-nexus.ts';
import { environmentOf, find, podTemplateOf } from '../testing/pod-templates.ts';
import type { PodTemplate } from '../testing/pod-templates.ts';
import { renderContext } from '../testing/render-context.ts';
import type { RenderContext } from './render-context.ts';
import { render } from './render.ts';

type Spec = NonNullable<ClaudeNexusOptions['spec']>;

function templateOf(
  kind: string,
  name: string,
  spec: Spec = {},
  overrides: Partial<RenderContext> = {},
): PodTemplate {
  const objects = render(renderContext(claudeNexus({ spec }), overrides));
  const template = podTemplateOf(find(objects, kind, name));
  if (template === undefined) throw new Error(`${kind} has no pods`);
  return template;
}

const proxy = (spec?: Spec, overrides?: Partial<RenderContext>): PodTemplate =>
  templateOf('Deployment', 'gateway-proxy', spec, overrides);
const dashboard = (spec?: Spec): PodTemplate => templateOf('Deployment', 'gateway-dashboard', spec);
const domain = (host: string) => ({ host, credential: { secretRef: { name: 'credentials', key: 'key' } } });

const secret = (key: string, name: string) => ({ secretKeyRef: { name, key } });

describe('the proxy', () => {
  it('gets its settings in the form its configuration reads', () => {
    expect(
      environmentOf(proxy({ proxy: { spool: { max: '1G', sizeLimit: '2G' }, drainTimeoutSeconds: 60 } })),
    ).toEqual({
      PORT: '3000',
      METRICS_PORT: '9090',
      DATABASE_URL: secret('proxyUrl', 'gateway-database'),
      ACCOUNT_HASH_KEY: secret('account-hash-key', 'gateway-keys'),
      CREDENTIALS_DIR: '/etc/nexus/credentials',
      SPOOL_DIR: '/var/spool/nexus',
      SPOOL_MAX_BYTES: '1000000000',
      SPOOL_DURABLE: 'false',
      PASSTHROUGH: 'deny',
      ENABLE_CLIENT_AUTH: 'true',
      CLAUDE_API_BASE_URL: 'https://api.anthropic.com',
      DRAIN_TIMEOUT: '60s',
      MAX_INFLIGHT_BYTES: '536870912',
      LOG_LEVEL: 'info',
    });
  });

  it('takes a setting as it is written, and no other variable into it', () => {
    const upstreamUrl = 'https://other.example/$(ACCOUNT_HASH_KEY)';
    const { CLAUDE_API_BASE_URL: url } = environmentOf(proxy({ proxy: { upstreamUrl } }));
    expect(url).toBe('https://other.example/$$(ACCOUNT_HASH_KEY)');
  });

  it.each([
    ['as long as streams may go on, and half a minute', {}, 330],
    ['as long as the resource says', { terminationGracePeriodSeconds: 1000 }, 1000],
  ])('is given time to end: %s', (_, overrides, seconds) => {
    expect(proxy({ proxy: overrides }).spec).toMatchObject({ terminationGracePeriodSeconds: seconds });
  });

  it('mounts the credential files of all domains in one folder, in an order that follows from their names', () => {
    const volumes = proxy({ domains: [domain('b.example'), domain('a.example')] }).spec['volumes'];
    expect(volumes).toContainEqual({
      name: 'credentials',
      projected: {
        defaultMode: 0o440,
        sources: ['a.example', 'b.example'].map((host) => ({
          secret: {
            name: expect.stringMatching(/^gateway-domain-[0-9a-f]{8}$/),
            items: [{ key: `${host}.credentials.json`, path: `${host}.credentials.json` }],
            optional: false,
          },
        })),
      },
    });
  });

  it('reads the file of an address by its name, although no key of a Secret may be called so', () => {
    const { spec } = proxy({ domains: [domain('[fd00::1]')] });
    const item = { key: '_fd00__1_.credentials.json', path: '[fd00::1].credentials.json' };
    expect(spec['volumes']).toContainEqual({
      name: 'credentials',
      projected: { defaultMode: 0o440, sources: [{ secret: expect.objectContaining({ items: [item] }) }] },
    });
  });

  it('rolls when a domain comes, and not when a credential changes', () => {
    const one = { domains: [domain('a.example')] };
    const changed = { host: 'a.example', name: 'gateway-domain-x', content: '{}' };
    const before = proxy(one, { domainSecrets: [changed] });
    expect(proxy(one, { domainSecrets: [{ ...changed, content: '{"api_key":"other"}' }] })).toEqual(before);
    const two = [changed, { ...changed, host: 'b.example' }];
    expect(proxy(one, { domainSecrets: two })).not.toEqual(before);
  });

  it('rolls when what it reads at start changes', () => {
    const checksums = { proxy: 'other', dashboard: 'other' };
    expect(proxy({}, { checksums }).metadata.annotations).toEqual({ 'claudenexus.dev/checksum': 'other' });
  });

  it('keeps every pod until the next one is ready', () => {
    const deployment = find(render(renderContext()), 'Deployment', 'gateway-proxy');
    expect(deployment['spec']).toMatchObject({
      replicas: 1,
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
  });

  it('says nothing about replicas that somebody else sets', () => {
    const objects = render(renderContext(claudeNexus(), { proxyReplicas: undefined }));
    expect(find(objects, 'Deployment', 'gateway-proxy')['spec']).not.toHaveProperty('replicas');
  });

  it.each([
    ['asks for a little by default', undefined, { requests: { cpu: '100m', memory: '384Mi' } }],
    [
      'asks for what it is given, and by default for the rest',
      { requests: { memory: '2Gi' } },
      { requests: { cpu: '100m', memory: '2Gi' } },
    ],
    [
      'never asks for more than a limit',
      { limits: { memory: '256Mi' } },
      { requests: { cpu: '100m' }, limits: { memory: '256Mi' } },
    ],
  ])('%s', (_, resources, expected) => {
    const spec = resources === undefined ? {} : { proxy: { resources } };
    expect(proxy(spec).spec.containers[0]?.resources).toEqual(expected);
  });

  it('spreads over nodes, unless the resource says where pods go', () => {
    expect(proxy().spec['topologySpreadConstraints']).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
    ]);
    const affinity = { nodeAffinity: {} };
    const placed = proxy({ proxy: { scheduling: { affinity } } }).spec;
    expect(placed).not.toHaveProperty('topologySpreadConstraints');
    expect(placed).toMatchObject({ affinity });
  });
});

describe('an image', () => {
  it.each([
    ['registry.example.com:5000/proxy', undefined, 'Always'],
    ['proxy:latest', undefined, 'Always'],
    ['registry.example.com:5000/proxy:1.0.0', undefined, 'IfNotPresent'],
    [`proxy@sha256:${'0'.repeat(64)}`, undefined, 'IfNotPresent'],
    [`proxy:latest@sha256:${'0'.repeat(64)}`, undefined, 'Always'],
    ['proxy:latest', 'Never', 'Never'],
  ] as const)(
    '%s with pull policy %s is pulled %s, whatever image was there before',
    (image, pullPolicy, expected) => {
      const images = pullPolicy === undefined ? {} : { pullPolicy };
      const [container] = proxy({ images }, { proxyImage: image }).spec.containers;
      expect(container?.['imagePullPolicy']).toBe(expected);
    },
  );
});

describe('the dashboard', () => {
  it('shows people the address of the ingress, else the one inside the cluster', () => {
    expect(environmentOf(dashboard())).toMatchObject({ PROXY_API_URL: 'http://gateway-proxy.team.svc:3000' });
    const ingress = { proxy: [{ host: 'api.example', tlsSecretName: 'tls' }] };
    expect(environmentOf(dashboard({ ingress }))).toMatchObject({ PROXY_API_URL: 'https://api.example' });
  });

  it('gets its database, key and base path', () => {
    expect(environmentOf(dashboard({ dashboard: { basePath: '/nexus/' } }))).toMatchObject({
      DATABASE_URL: { secretKeyRef: { name: 'gateway-database', key: 'dashboardUrl' } },
      DASHBOARD_API_KEY: { secretKeyRef: { name: 'gateway-keys', key: 'dashboard-api-key' } },
      BASE_PATH: '/nexus/',
    });
  });
});

const set = (overrides: Partial<RenderContext> = {}, database = managedDatabase()) =>
  find(
    render(renderContext(claudeNexus({ spec: { database } }), overrides)),
    'StatefulSet',
    'gateway-postgres',
  );

describe('the managed PostgreSQL', () => {
  it('keeps its data outside the folders for which the images declare a volume of their own', () => {
    const template = podTemplateOf(set());
    expect(environmentOf(template as PodTemplate)).toMatchObject({ PGDATA: '/data/pgdata' });
    expect(template?.spec.containers[0]?.['volumeMounts']).toContainEqual({
      name: 'data',
      mountPath: '/data',
    });
  });

  it('runs as postgres with its superuser password from a file', () => {
    const template = podTemplateOf(set());
    expect(template?.spec['securityContext']).toMatchObject({
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
    });
    expect(environmentOf(template as PodTemplate)).toMatchObject({
      POSTGRES_PASSWORD_FILE: '/etc/nexus/postgres/password',
    });
  });

  it.each(['Retain', 'Delete'] as const)(
    'leaves its claim to the policy %s, and never to scaling',
    (deletionPolicy) => {
      expect(set({}, managedDatabase({ deletionPolicy }))['spec']).toMatchObject({
        persistentVolumeClaimRetentionPolicy: { whenDeleted: deletionPolicy, whenScaled: 'Retain' },
      });
    },
  );

  it('runs the version and asks for the storage that the policies decided', () => {
    const decided = set({ postgresVersion: 16, postgresStorage: '5Gi' });
    expect(podTemplateOf(decided)?.spec.containers[0]?.image).toBe('postgres:16');
    expect(decided['spec']).toMatchObject({
      volumeClaimTemplates: [
        {
          metadata: { labels: { 'app.kubernetes.io/managed-by': 'claude-nexus-operator' } },
          spec: { resources: { requests: { storage: '5Gi' } } },
        },
      ],
    });
  });
});

describe('the image of PostgreSQL', () => {
  it.each([
    ['the usual one', {}, 'postgres:17'],
    [
      'one of a repository of the user',
      { images: { postgres: 'registry.example/pg' } },
      'registry.example/pg:17',
    ],
  ])('has the major version as its tag: %s', (_, spec, image) => {
    expect(templateOf('StatefulSet', 'gateway-postgres', spec).spec.containers[0]?.image).toBe(image);
  });
});

describe('what has to outlive the resource', () => {
  it.each([
    ['Retain', undefined],
    ['Delete', 1],
  ] as const)('the claim of the dumps has an owner or not by the policy %s', (deletionPolicy, owners) => {
    const backup = { schedule: '0 3 * * *', keep: 7, storage: { size: '1Gi' }, suspend: false };
    const database = managedDatabase({ deletionPolicy, backup });
    const objects = render(renderContext(claudeNexus({ spec: { database } })));
    const claim = find(objects, 'PersistentVolumeClaim', 'gateway-backup');
    expect(claim.metadata.ownerReferences?.length).toBe(owners);
  });
});
