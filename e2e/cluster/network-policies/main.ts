import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { at } from '../../fixtures/control-plane/api.ts';
import { Cluster } from '../../fixtures/control-plane/cluster.ts';
import { run } from '../command.ts';
import { rulesetOf } from './ruleset.ts';
import type { Api, TestObject } from '../../fixtures/control-plane/api.ts';
import type { Connection } from '../../fixtures/control-plane/cluster.ts';
import type { ClusterState, Pod, Policy } from './ruleset.ts';
import type { Labels } from './selectors.ts';

/*
 * Enforces NetworkPolicies on a cluster of one node, for tests. Runs in the node's network namespace, where all traffic
 * of pods passes the forward hook after kube-proxy has replaced addresses of Services by those of pods.
 */

const POLL_MS = 300;

async function observe(api: Api): Promise<ClusterState> {
  const [pods, namespaces, policies] = await Promise.all([
    api.list('/api/v1/pods'),
    api.list('/api/v1/namespaces'),
    api.list('/apis/networking.k8s.io/v1/networkpolicies'),
  ]);
  return {
    pods: pods.flatMap((pod) => podOf(pod)),
    namespaces: Object.fromEntries(
      namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}] as [string, Labels]),
    ),
    policies: policies.map(
      (policy) => ({ ...(policy['spec'] as object), namespace: policy.metadata.namespace ?? '' }) as Policy,
    ),
  };
}

/** None for a pod without an address of its own. */
function podOf(pod: TestObject): Pod[] {
  const address = at(pod, 'status.podIP');
  const hasEnded = ['Succeeded', 'Failed'].includes(String(at(pod, 'status.phase')));
  if (typeof address !== 'string' || hasEnded || at(pod, 'spec.hostNetwork') === true) return [];
  const containers = at(pod, 'spec.containers') as readonly { ports?: Pod['ports'] }[];
  return [
    {
      address,
      namespace: pod.metadata.namespace ?? '',
      labels: pod.metadata.labels ?? {},
      ports: containers.flatMap(({ ports = [] }) => ports),
    },
  ];
}

const connection = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as Connection;
const api = new Cluster(connection).api();
let last = '';
for (;;) {
  try {
    const ruleset = rulesetOf(await observe(api));
    if (ruleset !== last) {
      await run(['nft', '--file', '-'], { input: ruleset });
      last = ruleset;
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
  await delay(POLL_MS);
}
