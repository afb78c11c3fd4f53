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
  ['a child that is wanted', false, object('Service', 'wanted')],
  ['a child of the same name and another kind', true, object('Ingress', 'wanted')],
  ['a child that is not wanted', true, object('Service', 'old')],
  ['a child that is kept', false, object('Secret', 'kept')],
  ['a child without owner', false, object('Secret', 'old', {})],
  ['a child of another resource', false, object('Service', 'old', { ownerReferences: [{ uid: 'other' }] })],
  ['a child that is going already', false, object('Service', 'old', { ...ours, deletionTimestamp: 'now' })],
  ['a claim', false, object('PersistentVolumeClaim', 'old')],
  ['a pod', false, object('Pod', 'old')],
])('of %s prunes it: %s', (_, pruned, child) => {
  const desired = [object('Service', 'wanted')];
  const keep = new Set(['Secret/kept']);
  expect(prunable({ owner, children: [child], desired, keep })).toHaveLength(pruned ? 1 : 0);
});
