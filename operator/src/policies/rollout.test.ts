import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { rolloutOf } from './rollout.ts';

const deployment = (status: object, replicas = 2): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'x-proxy', generation: 3 },
  spec: { replicas },
  status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...status },
});

const pod = (status: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x-proxy-1', ...metadata },
  status,
});

const waiting = (reason: string) => ({
  containerStatuses: [{ name: 'proxy', state: { waiting: { reason, message: 'MARKEDSECRET' } } }],
});

describe('rolloutOf', () => {
  it.each([
    ['missing', undefined, 'it does not exist yet'],
    ['ready', deployment({}), 'rolled out'],
    ['ready', deployment({ replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, 0), 'rolled out'],
    ['progressing', deployment({ observedGeneration: 2 }), 'has not seen the last change'],
    ['progressing', deployment({ updatedReplicas: 1 }), '1 of 2 pods are updated'],
    ['progressing', deployment({ replicas: 3 }), '1 old pods are left'],
    ['progressing', deployment({ availableReplicas: 1 }), '1 of 2 pods are available'],
    ['progressing', { ...deployment({}), status: {} }, 'has not seen the last change'],
  ] as const)('is %s', (state, workload, message) => {
    const rollout = rolloutOf(workload, [], 'it');
    expect(rollout.state).toBe(state);
    expect(rollout.message).toContain(message);
  });

  it.each([
    [pod(waiting('ImagePullBackOff')), 'pod x-proxy-1: container proxy is in ImagePullBackOff'],
    [pod(waiting('CrashLoopBackOff')), 'pod x-proxy-1: container proxy is in CrashLoopBackOff'],
    [
      pod({
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      }),
      'pod x-proxy-1 is Unschedulable: 0/3 nodes',
    ],
  ])('names the pod in trouble, not what it printed', (troubled, message) => {
    const rollout = rolloutOf(deployment({ availableReplicas: 1 }), [troubled], 'it');
    expect(rollout.state).toBe('failing');
    expect(rollout.message).toContain(message);
    expect(rollout.message).not.toContain('MARKEDSECRET');
  });

  it.each([
    ['that only starts', pod(waiting('ContainerCreating'))],
    ['that is ending', pod(waiting('CrashLoopBackOff'), { deletionTimestamp: '2026-01-01T00:00:00Z' })],
  ])('does not blame a pod %s', (_, innocent) => {
    expect(rolloutOf(deployment({ availableReplicas: 1 }), [innocent], 'it').state).toBe('progressing');
  });
});
