import { describe, expect, it } from 'vitest';

import { ANNOTATIONS } from '../../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../../kube/object.ts';
import { textAt } from '../../policies/children.ts';
import { claudeNexus, managedDatabase } from '../../testing/claude-nexus.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';

const secret = (name: string, texts: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  data: Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  ),
});

const domain = (host: string) => ({ host, credential: { secretRef: { name: 'anthropic', key: 'key' } } });

function cluster(owner: ClaudeNexus = claudeNexus({ spec: { domains: [domain('a.example.com')] } })) {
  const simulated = new SimulatedCluster(owner);
  simulated.put(secret('anthropic', { key: 'sk-ant-MARKEDSECRET' }));
  return simulated;
}

function annotate(owner: ClaudeNexus, name: string, value: string): ClaudeNexus {
  const annotations = { ...owner.metadata.annotations, [name]: value };
  return { ...owner, metadata: { ...owner.metadata, annotations } };
}

function withSpec(owner: ClaudeNexus, change: Partial<ClaudeNexus['spec']>): ClaudeNexus {
  return { ...owner, spec: { ...owner.spec, ...change } };
}

function condition(simulated: SimulatedCluster, type: string) {
  const found = simulated.owner.status?.conditions?.find((condition) => condition.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

/** Fails as soon as a pod uses a login that cannot connect. */
function guardLogins(simulated: SimulatedCluster): void {
  simulated.onChange = () => {
    for (const text of simulated.usedUrls()) {
      if (!text.includes('//nexus_')) continue;
      const url = new URL(text);
      const login = simulated.logins.get(url.username);
      expect(login, `login ${url.username}`).toEqual({ password: url.password, enabled: true });
    }
  };
}

const changes: Readonly<Record<string, (owner: ClaudeNexus) => ClaudeNexus>> = {
  'a rotation of the logins': (owner) => annotate(owner, ANNOTATIONS.rotateLogins, '1'),
  'a new dashboard key': (owner) => annotate(owner, ANNOTATIONS.rotateDashboardKey, '1'),
  'a larger volume': (owner) => withSpec(owner, { database: managedDatabase({ storage: { size: '20Gi' } }) }),
  'a new version': (owner) => withSpec(owner, { images: { proxy: 'proxy:2', dashboard: 'dashboard:2' } }),
  'a new version and a rotation at once': (owner) =>
    annotate(withSpec(owner, { images: { proxy: 'proxy:2' } }), ANNOTATIONS.rotateLogins, '1'),
  'a domain more': (owner) =>
    withSpec(owner, { domains: [domain('a.example.com'), domain('b.example.com')] }),
  'no domain': (owner) => withSpec(owner, { domains: [] }),
  'volumes that go with the resource': (owner) =>
    withSpec(owner, { database: managedDatabase({ deletionPolicy: 'Delete' }) }),
  'another database': (owner) =>
    withSpec(owner, { database: { external: { secretRef: { name: 'elsewhere' } } } }),
};

describe('a fresh install', () => {
  it('becomes ready and then rests', () => {
    const simulated = cluster();
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
    expect(condition(simulated, 'Reconciling')).toBeUndefined();
    const { writes } = simulated;
    simulated.reconcile();
    expect(simulated.writes).toBe(writes);
  });

  it('says Unknown at the first visit and never that it is ready too early', () => {
    const simulated = cluster();
    simulated.reconcile();
    expect(condition(simulated, 'Ready')).not.toMatch('True');
    expect(condition(simulated, 'ProxyReady')).toBe('Unknown Progressing');
  });

  it('comes to the same end wherever it is killed', () => {
    const end = expectSameEnd((simulated) => simulated);
    expect(condition(end, 'Ready')).toBe('True AllReady');
  });
});

describe.each(Object.entries(changes))('%s', (_, change) => {
  const prepare = (simulated: SimulatedCluster) => {
    simulated.settle();
    const url = 'postgresql://user:MARKEDSECRET@db.example.com:6432/nexus';
    simulated.put(secret('elsewhere', { ownerUrl: url, proxyUrl: url, dashboardUrl: url }));
    simulated.edit(change);
    return simulated;
  };

  it('ends ready and the same wherever it is killed, and no pod ever has a login that cannot connect', () => {
    const end = expectSameEnd(prepare, guardLogins);
    expect(condition(end, 'Ready')).toBe('True AllReady');
  });
});

/** @param guard looks at every state in between */
function expectSameEnd(
  prepare: (simulated: SimulatedCluster) => SimulatedCluster,
  guard: (simulated: SimulatedCluster) => void = () => {},
): SimulatedCluster {
  const begin = prepare(cluster());
  const reference = begin.clone();
  guard(reference);
  const first = reference.writes;
  reference.settle();
  const last = reference.writes;
  expect(last).toBeGreaterThan(first);
  for (let write = first + 1; write <= last; write += 1) {
    const simulated = begin.clone();
    guard(simulated);
    simulated.killAfter = write;
    simulated.settle();
    expect(simulated.canonical(), `killed after write ${write}`).toEqual(reference.canonical());
  }
  return reference;
}

function rotate(simulated: SimulatedCluster, value = '1'): void {
  simulated.edit((owner) => annotate(owner, ANNOTATIONS.rotateLogins, value));
}

describe('a rotation of the logins', () => {
  it('ends with the other login alone and reports the value', () => {
    const simulated = cluster();
    simulated.settle();
    const old = simulated.usedUrls();
    rotate(simulated);
    simulated.settle();
    expect(simulated.logins.get('nexus_proxy_a')?.enabled).toBe(false);
    expect(simulated.logins.get('nexus_proxy_b')?.enabled).toBe(true);
    expect(simulated.owner.status?.rotations).toEqual({ logins: '1' });
    expect(simulated.usedUrls().filter((url) => url !== 'none' && old.includes(url))).toEqual([]);
  });

  it('goes back to the first login with a password it never had', () => {
    const simulated = cluster();
    simulated.settle();
    const before = simulated.logins.get('nexus_proxy_a')?.password;
    guardLogins(simulated);
    rotate(simulated);
    simulated.settle();
    rotate(simulated, '2');
    simulated.settle();
    expect(simulated.logins.get('nexus_proxy_a')).toMatchObject({ enabled: true });
    expect(simulated.logins.get('nexus_proxy_a')?.password).not.toBe(before);
  });

  it('keeps the gateway ready while it runs', () => {
    const simulated = cluster();
    simulated.settle();
    rotate(simulated);
    simulated.reconcile();
    simulated.reconcile();
    expect(condition(simulated, 'Migrated')).toBe('True RotationRunning');
    expect(condition(simulated, 'Reconciling')).toBe('True RotationRunning');
  });

  it('waits for the end of the one before when a new value comes in between', () => {
    const simulated = cluster();
    simulated.settle();
    guardLogins(simulated);
    rotate(simulated);
    simulated.reconcile();
    rotate(simulated, '2');
    simulated.settle();
    expect(simulated.owner.status?.rotations).toEqual({ logins: '2' });
    expect(simulated.logins.get('nexus_proxy_a')?.enabled).toBe(true);
  });
});

describe('the migration gate', () => {
  it('keeps the old images while the migration fails, and heals when it passes', () => {
    const simulated = cluster();
    simulated.settle();
    simulated.failingImages.add('proxy:2');
    simulated.edit((owner) => withSpec(owner, { images: { proxy: 'proxy:2', dashboard: 'dashboard:2' } }));
    simulated.settle();
    expect(condition(simulated, 'Migrated')).toBe('False JobFailed');
    expect(condition(simulated, 'ProxyReady')).toBe('True Available');
    expect(imageOf(simulated, 'proxy')).toBe('proxy:1');
    expect(imageOf(simulated, 'dashboard')).toBe('dashboard:1');
    simulated.edit((owner) => withSpec(owner, { proxy: { ...owner.spec.proxy, replicas: 3 } }));
    simulated.settle();
    expect(simulated.get('Deployment/gateway-proxy')).toMatchObject({ spec: { replicas: 3 } });
    expect(imageOf(simulated, 'proxy')).toBe('proxy:1');

    simulated.failingImages.clear();
    const { requeueAfterMs } = simulated.plan();
    expect(requeueAfterMs).toBe(30_000);
    simulated.now += 30_000;
    simulated.settle();
    expect(imageOf(simulated, 'proxy')).toBe('proxy:2');
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
  });

  it('waits longer with every attempt', () => {
    const simulated = cluster();
    simulated.failingImages.add('proxy:1');
    const delays: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const plan = simulated.settle();
      delays.push(plan.requeueAfterMs);
      simulated.now += plan.requeueAfterMs ?? 0;
    }
    expect(delays).toEqual([30_000, 60_000, 120_000, 240_000]);
  });
});

function imageOf(simulated: SimulatedCluster, service: string): string | undefined {
  const deployment = simulated.get(`Deployment/gateway-${service}`);
  return textAt(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image');
}

describe('generated Secrets', () => {
  const password = 'Secret/gateway-postgres-password';

  it.each(['gateway-keys', 'gateway-client-keys', 'gateway-logins'])(
    'makes %s anew with a warning when it is lost',
    (name) => {
      const simulated = cluster();
      simulated.settle();
      simulated.remove(`Secret/${name}`);
      simulated.settle();
      expect(simulated.seenEvents.map(({ reason, type }) => `${type} ${reason}`)).toEqual([
        'Warning GeneratedSecretLost',
      ]);
      expect(condition(simulated, 'Ready')).toBe('True AllReady');
    },
  );

  it('never makes the database password anew while the data is there, and recovers when it is put back', () => {
    const simulated = cluster();
    simulated.settle();
    const old = simulated.get(password) as KubeObject;
    const ownerUrl = textAt(simulated.get('Secret/gateway-database'), 'data', 'ownerUrl');
    simulated.remove(password);
    simulated.settle();
    expect(simulated.get(password)).toBeUndefined();
    expect(condition(simulated, 'Stalled')).toBe('True DatabasePasswordLost');
    expect(textAt(simulated.get('Secret/gateway-database'), 'data', 'ownerUrl')).toBe(ownerUrl);
    expect(simulated.of('Job').filter(({ metadata }) => metadata.name.includes('database'))).toHaveLength(1);
    simulated.put(old);
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
  });

  it('keeps the database password of kept data without an owner, and finds it again', () => {
    const simulated = cluster();
    simulated.settle();
    expect(simulated.get(password)?.metadata.ownerReferences).toBeUndefined();
    const again = cluster(claudeNexus({ uid: 'another' }));
    again.put(simulated.get(password) as KubeObject);
    for (const claim of simulated.of('PersistentVolumeClaim')) again.put(claim);
    again.settle();
    expect(condition(again, 'Ready')).toBe('True AllReady');
    expect(again.get(password)?.['data']).toEqual(simulated.get(password)?.['data']);
  });

  it('shows no secret in status, conditions, events or anything but Secrets', () => {
    const simulated = cluster();
    simulated.settle();
    simulated.edit((owner) => annotate(owner, ANNOTATIONS.rotateLogins, '1'));
    simulated.settle();
    const shown = JSON.stringify([
      [...simulated.objects.values()].filter(({ kind }) => kind !== 'Secret' && kind !== 'Pod'),
      simulated.owner,
      simulated.seenEvents,
    ]);
    const values = simulated
      .of('Secret')
      .flatMap((object) => Object.values(object['data'] as Record<string, string>))
      .flatMap((value) => [value, Buffer.from(value, 'base64').toString()]);
    expect(values.filter((value) => shown.includes(value))).toEqual([]);
    expect(shown).not.toContain('MARKEDSECRET');
  });
});

describe('the managed database', () => {
  it('stays with its version when another one is asked for', () => {
    const simulated = cluster();
    simulated.settle();
    simulated.edit((owner) => withSpec(owner, { database: managedDatabase({ version: 18 }) }));
    simulated.settle();
    expect(condition(simulated, 'Stalled')).toBe('True MajorVersionChange');
    const set = simulated.get('StatefulSet/gateway-postgres');
    expect(textAt(set, 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe('postgres:17');
    simulated.edit((owner) => withSpec(owner, { database: managedDatabase() }));
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
  });

  it('touches nothing when the class cannot expand', () => {
    const simulated = cluster();
    simulated.settle();
    simulated.expandable.set('standard', false);
    const before = simulated.get('StatefulSet/gateway-postgres');
    simulated.edit((owner) => withSpec(owner, { database: managedDatabase({ storage: { size: '1Ti' } }) }));
    simulated.settle();
    expect(condition(simulated, 'DatabaseReady')).toBe('False StorageExpansionUnsupported');
    expect(simulated.get('StatefulSet/gateway-postgres')).toEqual(before);
  });

  it.each(['Retain', 'Delete'] as const)(
    'keeps data and password while another database is used, and comes back to them (%s)',
    (deletionPolicy) => {
      const database = managedDatabase({ deletionPolicy });
      const simulated = cluster(claudeNexus({ spec: { database } }));
      simulated.settle();
      const stored = simulated.get('Secret/gateway-postgres-password')?.['data'];
      const url = 'postgresql://user:pw@db.example.com/nexus';
      simulated.put(secret('elsewhere', { ownerUrl: url, proxyUrl: url, dashboardUrl: url }));
      simulated.edit((owner) =>
        withSpec(owner, { database: { external: { secretRef: { name: 'elsewhere' } } } }),
      );
      simulated.settle();
      expect(simulated.of('PersistentVolumeClaim')).toHaveLength(1);
      expect(simulated.of('StatefulSet')).toEqual([]);
      simulated.edit((owner) => withSpec(owner, { database }));
      simulated.settle();
      expect(condition(simulated, 'Ready')).toBe('True AllReady');
      expect(simulated.get('Secret/gateway-postgres-password')?.['data']).toEqual(stored);
    },
  );

  it('restores before it migrates', () => {
    const database = managedDatabase({ restore: { claimName: 'dumps', file: 'latest' } });
    const simulated = cluster(claudeNexus({ spec: { database } }));
    simulated.reconcile();
    expect(simulated.of('Job').map(({ metadata }) => metadata.name)).toEqual([
      expect.stringMatching(/^gateway-restore-/),
    ]);
    simulated.settle();
    expect(simulated.of('Job')).toHaveLength(2);
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
  });
});

describe('credentials', () => {
  it('are served as they last were when the Secret becomes useless', () => {
    const simulated = cluster();
    simulated.settle();
    const before = simulated.of('Secret').find(({ metadata }) => metadata.name.includes('-domain-'));
    simulated.put(secret('anthropic', { key: 'changeme\u0000' }));
    simulated.settle();
    expect(condition(simulated, 'CredentialsReady')).toBe('False CredentialInvalid');
    expect(condition(simulated, 'Stalled')).toBeUndefined();
    expect(simulated.of('Secret').find(({ metadata }) => metadata.name.includes('-domain-'))).toEqual(before);
  });

  it.each([
    ['SecretNotFound', (simulated: SimulatedCluster) => simulated.remove('Secret/anthropic')],
    [
      'SecretKeyNotFound',
      (simulated: SimulatedCluster) => simulated.put(secret('anthropic', { other: 'x' })),
    ],
  ])('that never were are %s and stalled until they come', (reason, spoil) => {
    const simulated = cluster();
    spoil(simulated);
    simulated.settle();
    expect(condition(simulated, 'CredentialsReady')).toBe(`False ${reason}`);
    expect(condition(simulated, 'Stalled')).toBe(`True ${reason}`);
    simulated.put(secret('anthropic', { key: 'sk-ant-something' }));
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
  });

  it('that change roll no pod', () => {
    const simulated = cluster();
    simulated.settle();
    const generation = simulated.get('Deployment/gateway-proxy')?.metadata.generation;
    simulated.put(secret('anthropic', { key: 'sk-ant-another-one' }));
    simulated.settle();
    expect(simulated.get('Deployment/gateway-proxy')?.metadata.generation).toBe(generation);
  });
});

describe('a paused resource', () => {
  it('is told about and left alone', () => {
    const simulated = cluster();
    simulated.settle();
    simulated.edit((owner) =>
      annotate(withSpec(owner, { proxy: { ...owner.spec.proxy, replicas: 5 } }), ANNOTATIONS.paused, 'true'),
    );
    simulated.remove('Deployment/gateway-dashboard');
    simulated.settle();
    expect(condition(simulated, 'Paused')).toBe('True Paused');
    expect(condition(simulated, 'DashboardReady')).toBe('Unknown Progressing');
    expect(simulated.get('Deployment/gateway-dashboard')).toBeUndefined();
    expect(simulated.get('Deployment/gateway-proxy')).toMatchObject({ spec: { replicas: 1 } });
  });
});
