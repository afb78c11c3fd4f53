import path from 'node:path';

import { afterEach, describe, expect, test } from 'vitest';

import { CLUSTER_RULES, NAMESPACE_RULES, leaseRules } from '../../operator/src/rbac.ts';
import { ControlPlane } from '../fixtures/control-plane/control-plane.ts';
import { installDefinition } from '../fixtures/control-plane/definitions.ts';
import { Kubelet } from '../fixtures/control-plane/kubelet.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { API_KEY } from './resource.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';
import type { PolicyRule } from '../../operator/src/rbac.ts';
import type { AuditEntry } from '../fixtures/control-plane/cluster.ts';

type Spec = Readonly<Record<string, unknown>>;

const EVERYTHING: Spec = {
  ...oneDomain(),
  autoscaling: {},
  ingress: { dashboard: { host: 'nexus.example.com' } },
  monitoring: { serviceMonitor: {}, prometheusRule: {} },
  database: { managed: { storage: { size: '10Gi' }, backup: {}, deletionPolicy: 'Delete' } },
};
const NOTHING: Spec = {
  domains: [],
  autoscaling: null,
  ingress: null,
  monitoring: null,
  networkPolicy: { enabled: false },
  proxy: { replicas: 1 },
};

/** `verb group/resource` for every right the rules give. */
function rightsOf(rules: readonly PolicyRule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  );
}

/** The rights an answered request has made use of; an apply that creates needs two. */
function rightsUsed({ verb, group, resource, subresource, code }: AuditEntry): readonly string[] {
  const what = `${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`;
  return verb === 'patch' && code === 201 ? [`patch ${what}`, `create ${what}`] : [`${verb} ${what}`];
}

/** Which groups there are may be asked by everybody; it is no object of the cluster. */
function isQuestion({ uri, resource }: AuditEntry): boolean {
  return resource === '' && /^\/apis\/[a-z.]+\/v1(\?|$)/.test(uri);
}

/** Walks through all features of a gateway. */
async function useEverything(gateway: Gateway): Promise<void> {
  await gateway.secret('anthropic', { 'api-key': API_KEY });
  await gateway.create(EVERYTHING);
  await gateway.untilReady();
  await gateway.patch({ database: { managed: { storage: { size: '20Gi' } } } });
  await gateway.untilReady();
  await gateway.annotate({ 'claudenexus.dev/rotate-logins': 'first' });
  await gateway.untilAt(gateway.path, 'status.rotations.logins', (value) => value === 'first');
  await gateway.patch(NOTHING);
  await gateway.untilReady();
  await gateway.moveDatabaseOut();
}

describe('the rights of the operator', () => {
  const stops: (() => Promise<unknown>)[] = [];
  const lab = setUp();
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  test('are all it needs, and it uses each of them', { timeout: 300_000 }, async () => {
    // A control plane that has never heard of ClaudeNexus.
    const programs = path.dirname(lab.cluster.connection.kubectl);
    const users = { kubelet: ['system:masters'], operator: [] };
    const { cluster, ...plane } = await startPlane(programs, users);
    stops.push(plane.stop);
    const api = cluster.api();
    for (const kind of ['ServiceMonitor', 'PrometheusRule', 'Cluster'] as const) {
      await installDefinition(api, kind);
    }
    const lease = 'operator-with-rights';
    const operator = await OperatorUnderTest.start(cluster, { lease });
    stops.push(() => operator.stop());

    const gateway = new Gateway(api, await cluster.createNamespace());
    plane.kubelet.serve(gateway.namespace);
    await useEverything(gateway);
    const clustered = new Gateway(api, gateway.namespace, 'clustered');
    const superuser = { username: 'postgres', password: 'a-password-of-a-superuser' };
    await clustered.create({ database: { cloudNativePG: { deletionPolicy: 'Delete' } } });
    await clustered.untilReason('DatabaseReady', 'ClusterNotReady');
    await clustered.secret('clustered-postgres-superuser', superuser);
    await clustered.untilReason('Migrated', 'UpToDate');
    await clustered.patch({
      database: { cloudNativePG: null, external: { secretRef: { name: 'outside' } } },
    });
    await clustered.untilReady();
    // Events that repeat are counted, not made anew.
    await until('an event that was told twice', async () => {
      const events = await api.list(gateway.collection('events'));
      return events.some((event) => event['series'] !== undefined) ? true : undefined;
    });

    const entries = await cluster.auditOf('operator');
    expect(entries.filter(({ code }) => code === 403 || code === 401)).toEqual([]);
    const used = new Set(entries.flatMap((entry) => rightsUsed(entry)));
    const given = rightsOf([...NAMESPACE_RULES, ...CLUSTER_RULES, ...leaseRules(lease)]);
    expect([...given].filter((right) => !used.has(right))).toEqual([]);
  });

  test('end at its namespaces where it is given some', async () => {
    const [first, second, other] = [await lab.namespace(), await lab.namespace(), await lab.namespace()];
    const mark = await lab.cluster.auditMark();
    const user = 'operator-2';
    const env = { WATCH_NAMESPACES: `${first},${second}` };
    const operator = await OperatorUnderTest.start(lab.cluster, { user, env });
    stops.push(() => operator.stop());
    const outside = new Gateway(lab.cluster.api(), other);
    await outside.create({});
    for (const namespace of [first, second]) {
      const gateway = new Gateway(lab.cluster.api(), namespace);
      await gateway.secret('anthropic', { 'api-key': API_KEY });
      await gateway.create({ ...EVERYTHING, monitoring: null });
      await gateway.untilReady();
      await gateway.patch({ database: { managed: { storage: { size: '20Gi' } } } });
      await gateway.untilReady();
    }

    const entries = await lab.cluster.auditOf(user, mark);
    expect(entries.filter(({ code }) => code === 403 || code === 401)).toEqual([]);
    const served = new Set([first, second]);
    const beyond = entries.filter(({ namespace }) => !served.has(namespace));
    const lease = beyond.filter(({ resource }) => resource === 'leases');
    expect(new Set(lease.map(({ namespace }) => namespace))).toEqual(new Set(['default']));
    expect(beyond.filter((entry) => !lease.includes(entry) && !isQuestion(entry))).toEqual([]);
    expect(await outside.condition('Ready')).toBeUndefined();
  });
});

async function startPlane(programs: string, users: Readonly<Record<string, readonly string[]>>) {
  const plane = await ControlPlane.start({ programs, users });
  const kubelet = await Kubelet.start(plane.cluster.api('kubelet'), []);
  const stop = async (): Promise<void> => {
    await kubelet.stop();
    await plane.stop();
  };
  return { cluster: plane.cluster, kubelet, stop };
}
