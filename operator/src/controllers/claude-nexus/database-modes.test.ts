import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../kube/object.ts';
import { at, textAt } from '../../policies/children.ts';
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

function condition(simulated: SimulatedCluster, type: string): string | undefined {
  const found = simulated.owner.status?.conditions?.find((condition) => condition.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

function checksumOf(simulated: SimulatedCluster, service: string): string | undefined {
  const deployment = simulated.get(`Deployment/gateway-${service}`);
  return textAt(deployment, 'spec', 'template', 'metadata', 'annotations', 'claudenexus.dev/checksum');
}

function external(): SimulatedCluster {
  const database = { external: { secretRef: { name: 'db' } } };
  return new SimulatedCluster(claudeNexus({ spec: { database } }));
}

function urls(password = 'one') {
  const url = `postgresql://user:${password}@db.example.com:6432/nexus`;
  return { ownerUrl: url, proxyUrl: url, dashboardUrl: url };
}

function replicas(simulated: SimulatedCluster): unknown {
  return at(simulated.get('Deployment/gateway-proxy'), 'spec', 'replicas');
}

describe('the claim of dumps', () => {
  it.each([
    ['stays as large as somebody made it', '4Gi', '4Gi'],
    ['grows with the spec', '1Gi', '2Gi'],
  ])('%s', (_what, present, wanted) => {
    const backup = { schedule: '@daily', keep: 3, storage: { size: '1Gi' }, suspend: false };
    const simulated = new SimulatedCluster(claudeNexus({ spec: { database: managedDatabase({ backup }) } }));
    const path = ['spec', 'resources', 'requests', 'storage'] as const;
    simulated.settle();
    const claim = simulated.get('PersistentVolumeClaim/gateway-backup') as KubeObject;
    simulated.put({ ...claim, spec: { resources: { requests: { storage: present } } } });
    const grown = { ...backup, storage: { size: '2Gi' } };
    simulated.edit((owner) => ({
      ...owner,
      spec: { ...owner.spec, database: managedDatabase({ backup: grown }) },
    }));
    simulated.settle();
    expect(textAt(simulated.get('PersistentVolumeClaim/gateway-backup'), ...path)).toBe(wanted);
  });

  it('that was to go with the resource is let go once it is not in use and data is retained', () => {
    const backup = { schedule: '@daily', keep: 3, storage: { size: '1Gi' }, suspend: false };
    const spec = { database: managedDatabase({ backup, deletionPolicy: 'Delete' }) };
    const simulated = new SimulatedCluster(claudeNexus({ spec }));
    const owners = () =>
      simulated.get('PersistentVolumeClaim/gateway-backup')?.metadata.ownerReferences?.length ?? 0;
    simulated.settle();
    expect(owners()).toBe(1);
    simulated.owner = { ...simulated.owner, spec: claudeNexus().spec };
    simulated.settle();
    expect(owners()).toBe(0);
  });
});

describe('the credentials', () => {
  it.each([
    [1, 'The credential of 1 domain is in place'],
    [2, 'The credentials of 2 domains are in place'],
  ])('of %i are told in good English', (count, message) => {
    const domains = Array.from({ length: count }, (_, index) => ({
      host: `d${index}.example.com`,
      credential: { secretRef: { name: 'anthropic', key: 'key' } },
    }));
    const simulated = new SimulatedCluster(claudeNexus({ spec: { domains } }));
    simulated.put(secret('anthropic', { key: 'sk-ant-MARKEDSECRET' }));
    simulated.settle();
    const told = simulated.owner.status?.conditions?.find(({ type }) => type === 'CredentialsReady');
    expect(told?.message).toBe(message);
  });
});

describe('an external database', () => {
  it.each([
    ['SecretNotFound', undefined],
    ['DatabaseSecretInvalid', {}],
    ['DatabaseSecretInvalid', { ...urls(), proxyUrl: 'mysql://db' }],
  ])('whose Secret is useless is %s until it is right', (reason, texts) => {
    const simulated = external();
    if (texts !== undefined) simulated.put(secret('db', texts));
    simulated.settle();
    expect(condition(simulated, 'DatabaseReady')).toBe(`False ${reason}`);
    expect(condition(simulated, 'Stalled')).toBe(`True ${reason}`);
    expect(simulated.of('Job')).toEqual([]);
    simulated.put(secret('db', urls()));
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
    expect(simulated.of('Job')).toHaveLength(1);
  });

  it('rolls both services and migrates when its addresses change', () => {
    const simulated = external();
    simulated.put(secret('db', urls()));
    simulated.settle();
    const [job] = simulated.of('Job');
    const before = [checksumOf(simulated, 'proxy'), checksumOf(simulated, 'dashboard')];
    simulated.put(secret('db', urls('two')));
    simulated.settle();
    expect(checksumOf(simulated, 'proxy')).not.toBe(before[0]);
    expect(checksumOf(simulated, 'dashboard')).not.toBe(before[1]);
    expect(simulated.of('Job').map(({ metadata }) => metadata.name)).not.toContain(job?.metadata.name);
  });

  it('touches neither pods nor Jobs while its Secret is away', () => {
    const simulated = external();
    simulated.put(secret('db', urls()));
    simulated.settle();
    const workloads = () =>
      [...simulated.of('Deployment'), ...simulated.of('Job')].map(({ metadata, spec }) => [metadata, spec]);
    const before = workloads();
    simulated.remove('Secret/db');
    simulated.settle();
    expect(condition(simulated, 'Stalled')).toBe('True SecretNotFound');
    expect(workloads()).toEqual(before);
  });

  it('has no logins of ours', () => {
    const simulated = external();
    simulated.put(secret('db', urls()));
    simulated.settle();
    expect(simulated.get('Secret/gateway-logins')).toBeUndefined();
    expect(simulated.get('Secret/gateway-database')).toBeUndefined();
    expect(simulated.owner.status?.generatedSecrets).toEqual(['gateway-keys']);
  });
});

describe('CloudNativePG', () => {
  const cloudNativePG = { instances: 3, storage: { size: '1Gi' }, deletionPolicy: 'Retain' } as const;
  const own = () => new SimulatedCluster(claudeNexus({ spec: { database: { cloudNativePG } } }));

  it('is waited for, and migrated when its superuser is known', () => {
    const simulated = own();
    simulated.settle();
    expect(condition(simulated, 'DatabaseReady')).toBe('False ClusterNotReady');
    expect(condition(simulated, 'Stalled')).toBeUndefined();
    expect(simulated.of('Job')).toEqual([]);
    simulated.put(secret('gateway-postgres-superuser', { username: 'postgres', password: 'p@ss' }));
    const cluster = simulated.get('Cluster/gateway-postgres') as KubeObject;
    simulated.put({ ...cluster, status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    simulated.settle();
    expect(condition(simulated, 'Ready')).toBe('True AllReady');
    const text = textAt(simulated.get('Secret/gateway-database'), 'data', 'ownerUrl') ?? '';
    expect(Buffer.from(text, 'base64').toString()).toBe(
      'postgresql://postgres:p%40ss@gateway-postgres-rw.team.svc:5432/nexus',
    );
  });

  it('is missed where it is not installed', () => {
    const simulated = own();
    simulated.has.cloudNativePG = false;
    simulated.settle();
    expect(condition(simulated, 'Stalled')).toBe('True CloudNativePGMissing');
  });
});

describe('autoscaling', () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 70 };

  it('begins with the least pods and gives them back to the spec when it is turned off', () => {
    const simulated = new SimulatedCluster(claudeNexus({ spec: { autoscaling } }));
    simulated.settle();
    expect(replicas(simulated)).toBe(2);
    simulated.edit((owner) => ({ ...owner, spec: claudeNexus().spec }));
    simulated.settle();
    expect(replicas(simulated)).toBe(1);
    expect(simulated.of('HorizontalPodAutoscaler')).toEqual([]);
  });
});
