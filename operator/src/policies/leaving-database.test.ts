import { describe, expect, it } from 'vitest';

import type { Observed } from '../controllers/claude-nexus/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { childLabels } from '../resources/names.ts';
import { claudeNexus, managedDatabase } from '../testing/claude-nexus.ts';
import { decideLeaving } from './leaving-database.ts';

const EXTERNAL = { external: { secretRef: { name: 'outside' } } };
const labels = childLabels(claudeNexus(), 'postgres');

const set = (whenDeleted: 'Delete' | 'Retain', observedGeneration = 2): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'team', name: 'gateway-postgres', uid: 'uid-of-set', generation: 2, labels },
  spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted } },
  status: { observedGeneration },
});

const claim = (owner?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    namespace: 'team',
    name: 'data-gateway-postgres-0',
    labels,
    ...(owner === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'x', uid: owner }] }),
  },
});

const observed = (
  database: Observed['owner']['spec']['database'],
  children: readonly KubeObject[],
): Observed => ({
  owner: claudeNexus({ spec: { database } }),
  children,
  secrets: new Map(),
  has: { prometheusOperator: false, cloudNativePG: false },
  expandable: undefined,
});

describe('a set that is not wanted any more', () => {
  it.each([
    ['stays as it is while it is wanted', managedDatabase(), [set('Delete'), claim('uid-of-set')], [], false],
    ['is told to leave its claims', EXTERNAL, [set('Delete'), claim('uid-of-set')], ['retain-claims'], true],
    ['stays until its controller has heard of that', EXTERNAL, [set('Retain', 1), claim()], [], true],
    ['stays while a claim belongs to it', EXTERNAL, [set('Retain'), claim('uid-of-set')], [], true],
    ['goes when no claim does', EXTERNAL, [set('Retain'), claim('uid-of-another')], [], false],
    ['is gone', EXTERNAL, [claim()], [], false],
  ] as const)('%s', (_, database, children, actions, keepsSet) => {
    const decision = decideLeaving(observed(database, children));
    expect(decision.actions.map(({ type }) => type)).toEqual(actions);
    expect(decision.keepsSet).toBe(keepsSet);
  });
});
