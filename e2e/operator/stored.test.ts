import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { ROOT, until } from '../fixtures/program.ts';
import { Gateway } from './gateway.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { creationsAndDeletions, kindPath, writesAtRest } from './oracles.ts';
import { setUp } from './set-up.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';

/** Addresses in the stored Secrets name it. */
const NAMESPACE = 'gateway';
const FIXTURES = path.join(ROOT, 'e2e/operator/fixtures');

type Stored = Pick<TestObject, 'kind' | 'apiVersion'> & {
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly { uid: string }[] };
  readonly [field: string]: unknown;
};

/** Reads a file of objects without asking a server. */
async function readStored(cluster: Cluster, file: string): Promise<readonly Stored[]> {
  const cache = await mkdtemp(path.join(tmpdir(), 'nexus-kubectl-'));
  try {
    const options = ['--dry-run=client', '--validate=false', '--show-managed-fields', '-o', 'json'];
    const place = ['--namespace', NAMESPACE, '--cache-dir', cache, '-f', path.join(FIXTURES, file)];
    const json = await cluster.kubectl(['create', ...options, ...place]);
    // One object after the other.
    return JSON.parse(`[${json.trim().replaceAll('\n}\n{', '\n},\n{')}]`) as Stored[];
  } finally {
    await rm(cache, { recursive: true });
  }
}

const pathOf = ({ kind }: Stored): string =>
  kindPath((KINDS as Readonly<Record<string, Kind>>)[kind] ?? KINDS.ClaudeNexus, NAMESPACE);

const snapshot = async (gateway: Gateway) => {
  const secrets = await gateway.api.list(gateway.collection('secrets'));
  const workloads = await Promise.all(
    (['deployments', 'statefulsets', 'jobs', 'cronjobs'] as const).map((plural) =>
      gateway.api.list(gateway.collection(plural)),
    ),
  );
  return {
    pods: (await gateway.api.list(gateway.collection('pods'))).map(({ metadata }) => metadata.uid).toSorted(),
    workloads: workloads.flat().map(({ metadata: { name, uid, generation } }) => ({ name, uid, generation })),
    secrets: secrets.map(({ metadata: { name, uid }, data }) => ({ name, uid, data })),
  };
};

describe('what an earlier version has stored', () => {
  let operator: OperatorUnderTest | undefined;
  const lab = setUp();
  afterEach(() => operator?.stop());

  /** Puts the objects there as they were, for an owner with a uid of this cluster. */
  const load = async (stored: readonly Stored[]): Promise<void> => {
    const api = lab.cluster.api();
    const [resource, ...children] = stored;
    if (resource?.kind !== 'ClaudeNexus') throw new Error('the first object must be the resource');
    const { metadata } = await api.create(pathOf(resource), resource);
    for (const child of children) {
      const owners = child.metadata.ownerReferences?.map((owner) => ({ ...owner, uid: metadata.uid }));
      await api.create(pathOf(child), {
        ...child,
        metadata: { ...child.metadata, ...(owners === undefined ? {} : { ownerReferences: owners }) },
      });
    }
    await api.patch(`${pathOf(resource)}/${metadata.name}/status`, { status: resource['status'] });
  };

  test.each(['stored-v0.1.0.yaml'])(
    '%s is taken over as it is: the same pods, the same secrets, and rest',
    async (file) => {
      const stored = await readStored(lab.cluster, file);
      const api = lab.cluster.api();
      await api.create('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
      onTestFinished(() => lab.cluster.abandonNamespace(NAMESPACE));
      lab.kubelet.serve(NAMESPACE);
      await until('the namespace', () => api.find(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`));
      await load(stored);
      const gateway = new Gateway(api, NAMESPACE);
      for (const [component, count] of [
        ['proxy', 2],
        ['dashboard', 1],
        ['postgres', 1],
      ] as const) {
        await until(`${component} to run`, async () => {
          const pods = await gateway.pods(component);
          return pods.filter((pod) => at(pod, 'status.phase') === 'Running').length === count
            ? true
            : undefined;
        });
      }
      await until('the Job to be done', async () =>
        (await gateway.jobs()).every((job) => at(job, 'status.succeeded') === 1) ? true : undefined,
      );
      const before = await snapshot(gateway);
      const mark = await lab.cluster.auditMark();

      operator = await OperatorUnderTest.start(lab.cluster);
      await until('a look at it', async () =>
        (await lab.cluster.auditOf('operator', mark)).some(({ name }) => name === 'gateway-logins')
          ? true
          : undefined,
      );
      await gateway.untilReady();
      // Ready may be told a moment before the last detail of the status is.
      await until('rest', async () =>
        (await writesAtRest(lab.cluster, NAMESPACE)).length === 0 ? true : undefined,
      );
      expect(await snapshot(gateway)).toEqual(before);
      expect(await creationsAndDeletions(lab.cluster, mark, NAMESPACE)).toEqual({});
    },
  );
});
