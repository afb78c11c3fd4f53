import { describe, expect, it } from 'vitest';

import type { Observed } from '../controllers/claude-nexus/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { childLabels } from '../resources/names.ts';
import { claudeNexus, managedDatabase } from '../testing/claude-nexus.ts';
import { releaseLeftClaims } from './left-claims.ts';

const backup = { schedule: '@daily', keep: 3, storage: { size: '20Gi' }, suspend: false };
const { uid } = claudeNexus().metadata;

const claim = (owner: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    namespace: 'team',
    name: 'gateway-backup',
    labels: childLabels(claudeNexus(), 'backup'),
    ownerReferences: [{ apiVersion: 'claudenexus.dev/v1alpha1', kind: 'ClaudeNexus', name: 'x', uid: owner }],
  },
});

describe('the claim of dumps', () => {
  it.each([
    { title: 'is let go when none are made and data is retained', database: managedDatabase(), released: 1 },
    {
      title: 'is let go when the database is somebody else’s',
      database: { external: { secretRef: { name: 'outside' } } },
      released: 1,
    },
    {
      title: 'stays when it is to go with the resource',
      database: managedDatabase({ deletionPolicy: 'Delete' }),
      released: 0,
    },
    {
      title: 'is left to the apply while dumps are made',
      database: managedDatabase({ backup }),
      released: 0,
    },
    { title: 'of another owner is left alone', database: managedDatabase(), owner: 'another', released: 0 },
  ])('$title', ({ database, owner = uid, released }) => {
    const observed: Observed = {
      owner: claudeNexus({ spec: { database } }),
      children: [claim(owner)],
      secrets: new Map(),
      has: { prometheusOperator: false, cloudNativePG: false },
      expandable: undefined,
    };
    expect(releaseLeftClaims(observed)).toHaveLength(released);
  });
});
