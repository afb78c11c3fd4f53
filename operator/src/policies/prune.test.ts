import { expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { claudeNexus } from '../testing/claude-nexus.ts';
import { prunable } from './prune.ts';

const owner = claudeNexus();
const ours = {
  ownerReferences: [{ apiVersion: 'x', kind: 'ClaudeNexus', name: 'x', uid: owner.metadata.uid }],
};

const object = (kind: string, name: string, metadata: object = ours): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...metadata },
});

it.each([
  ['a child that is wanted', object('Service', 'wanted'), false],
  ['a child of the same name and another kind', object('Ingress', 'wanted'), true],
  ['a child that is not wanted', object('Service', 'old'), true],
  ['a child that is kept', object('Secret', 'kept'), false],
  ['a child without owner', object('Secret', 'old', {}), false],
  ['a child of another resource', object('Service', 'old', { ownerReferences: [{ uid: 'other' }] }), false],
  ['a child that is going already', object('Service', 'old', { ...ours, deletionTimestamp: 'now' }), false],
  ['a claim', object('PersistentVolumeClaim', 'old'), false],
  ['a pod', object('Pod', 'old'), false],
])('of %s prunes it: %s', (_, child, pruned) => {
  const desired = [object('Service', 'wanted')];
  const keep = new Set(['Secret/kept']);
  expect(prunable({ owner, children: [child], desired, keep })).toHaveLength(pruned ? 1 : 0);
});
