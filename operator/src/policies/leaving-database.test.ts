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

const claim = (owner: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    namespace: 'team',
    name: 'data-gateway-postgres-0',
    labels,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'x', uid: owner }],
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
    { title: 'stays as it is while it is wanted', database: managedDatabase(), set: set('Delete') },
    { title: 'is told to leave its claims', set: set('Delete'), actions: ['retain-claims'], keepsSet: true },
    { title: 'stays until its controller has heard of that', set: set('Retain', 1), keepsSet: true },
    { title: 'stays while a claim belongs to it', set: set('Retain'), keepsSet: true },
    { title: 'goes when no claim belongs to it', set: set('Retain'), owner: 'uid-of-another' },
    { title: 'is gone' },
  ])('$title', ({ database = EXTERNAL, set, owner = 'uid-of-set', actions = [], keepsSet = false }) => {
    const children = [claim(owner), ...(set === undefined ? [] : [set])];
    const decision = decideLeaving(observed(database, children));
    expect(decision.actions.map(({ type }) => type)).toEqual(actions);
    expect(decision.keepsSet).toBe(keepsSet);
  });
});
