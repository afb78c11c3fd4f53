import { expect } from 'vitest';

import { at } from '../../fixtures/control-plane/api.ts';
import { eventually } from '../eventually.ts';
import { GATEWAY } from '../site.ts';
import type { ClusterSite } from '../site.ts';

const CRD = 'claudenexuses.claudenexus.dev';
const OURS = 'app.kubernetes.io/managed-by=claude-nexus-operator';
/** Answers that show that the gateway goes on. */
const ANSWERS = 100;
/** Longer than a drain. */
const GONE_SECONDS = 180;
const CLUSTER_WIDE = [
  'clusterroles',
  'clusterrolebindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
];

/** A gateway goes on without an operator; with the CRD goes everything but the data. */
export async function uninstall(site: ClusterSite): Promise<void> {
  await site.disturb('uninstall the operator', async () => {
    await site.uninstallRelease();
    await site.load.more(ANSWERS);
  });
  expect(await leftOfRelease(site)).toEqual([]);

  await site.load.stop();
  const hasBackups = at(await site.resource(), 'spec.database.managed.backup') !== undefined;
  const kept = [
    `persistentvolumeclaim/data-${GATEWAY}-postgres-0`,
    ...(hasBackups ? [`persistentvolumeclaim/${GATEWAY}-backup`] : []),
    `secret/${GATEWAY}-postgres-password`,
  ];
  await site.real.cluster.kubectl(['delete', 'crd', CRD, '--timeout=60s']);
  const isDone = async () => (await leftOfGateway(site)).length <= kept.length || undefined;
  await eventually('the end of everything but the data', isDone, GONE_SECONDS).catch(() => undefined);
  expect(await leftOfGateway(site)).toEqual(kept);
}

async function leftOfRelease(site: ClusterSite): Promise<readonly string[]> {
  const { cluster } = site.real;
  const wide = await cluster.kubectl(['get', CLUSTER_WIDE.join(','), '-o', 'name']);
  const inNamespace = ['all,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies'];
  const own = await cluster.kubectl(['get', ...inNamespace, '-o', 'name', '-n', site.system]);
  return [...linesOf(wide), ...linesOf(own)].filter((name) => name.includes('nexus'));
}

/** Objects of every kind that the operator has made, by kind and name. */
async function leftOfGateway(site: ClusterSite): Promise<readonly string[]> {
  const ask = ['api-resources', '--namespaced', '--verbs=list', '--cached=false', '-o', 'name'];
  // Events are told of, not made by anybody.
  const kinds = linesOf(await site.real.cluster.kubectl(ask)).filter((kind) => !kind.startsWith('events'));
  const found = await site.kubectl('get', kinds.join(','), '-l', OURS, '-o', 'name');
  return linesOf(found).toSorted();
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
