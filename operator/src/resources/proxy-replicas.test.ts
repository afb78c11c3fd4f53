import { expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { claudeNexus } from '../testing/claude-nexus.ts';
import { proxyReplicas } from './proxy-replicas.ts';

const AUTOSCALING = { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70 };

/** A Deployment whose replicas belong to the given managers. */
function deployment(
  replicas: number,
  managers?: readonly [manager: string, operation: string][],
): KubeObject {
  const managedFields = managers?.map(([manager, operation]) => ({
    manager,
    operation,
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  }));
  const metadata = { name: 'gateway-proxy', ...(managedFields === undefined ? {} : { managedFields }) };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas } };
}

const OURS: [string, string] = ['claude-nexus-operator', 'Apply'];
const AUTOSCALER: [string, string] = ['kube-controller-manager', 'Update'];

it.each([
  ['the number of the spec without autoscaling', undefined, deployment(7, [OURS]), 3],
  ['takes the number back when autoscaling ends', undefined, deployment(7, [AUTOSCALER]), 3],
  ['the least number when there is no Deployment yet', AUTOSCALING, undefined, 2],
  [
    'the live number while only we own it, which would fall to 1 otherwise',
    AUTOSCALING,
    deployment(7, [OURS]),
    7,
  ],
  ['nothing once the autoscaler owns it', AUTOSCALING, deployment(7, [AUTOSCALER]), undefined],
  ['nothing once somebody owns it with us', AUTOSCALING, deployment(7, [OURS, AUTOSCALER]), undefined],
  ['the live number where the owners are not known', AUTOSCALING, deployment(7), 7],
])('applies %s', (_, autoscaling, live, expected) => {
  const owner = claudeNexus({
    spec: { proxy: { replicas: 3 }, ...(autoscaling === undefined ? {} : { autoscaling }) },
  });
  expect(proxyReplicas(owner, live)).toBe(expected);
});
