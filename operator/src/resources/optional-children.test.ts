import { describe, expect, it } from 'vitest';

import { claudeNexus } from '../testing/claude-nexus.ts';
import type { ClaudeNexusOptions } from '../testing/claude-nexus.ts';
import { find } from '../testing/pod-templates.ts';
import { renderContext } from '../testing/render-context.ts';
import { scenario } from '../testing/scenarios.ts';
import { render } from './render.ts';

type Spec = NonNullable<ClaudeNexusOptions['spec']>;

const AUTOSCALING = { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70 };

function namesOf(kind: string, spec: Spec): string[] {
  const objects = render(renderContext(claudeNexus({ spec })));
  return objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
}

describe('disruption budgets', () => {
  it.each<[string, Spec, string[]]>([
    ['none for single pods, which a drain must be able to move', {}, []],
    ['one for several proxies', { proxy: { replicas: 2 } }, ['gateway-proxy']],
    ['one for several dashboards', { dashboard: { replicas: 2 } }, ['gateway-dashboard']],
    ['one for a proxy that scales', { autoscaling: AUTOSCALING }, ['gateway-proxy']],
  ])('are %s', (_, spec, names) => {
    expect(namesOf('PodDisruptionBudget', spec)).toEqual(names);
  });
});

it('the autoscaler keeps the proxy within the bounds of the resource', () => {
  const objects = render(renderContext(claudeNexus({ spec: { autoscaling: AUTOSCALING } })));
  expect(find(objects, 'HorizontalPodAutoscaler', 'gateway-proxy')['spec']).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'gateway-proxy' },
    minReplicas: 2,
    maxReplicas: 9,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      },
    ],
  });
});

describe('monitoring', () => {
  it('reads metrics through Services of their own, so that a load balancer never publishes them', () => {
    const names = namesOf('Service', { monitoring: { serviceMonitor: { interval: '30s' } } });
    expect(names.filter((name) => name.endsWith('-metrics'))).toEqual([
      'gateway-proxy-metrics',
      'gateway-dashboard-metrics',
    ]);
    const objects = render(renderContext(scenario('full')));
    expect(find(objects, 'Service', 'gateway-proxy')['spec']).toMatchObject({
      type: 'LoadBalancer',
      ports: [{ name: 'http', port: 3000 }],
    });
    expect(namesOf('Service', {}).filter((name) => name.endsWith('-metrics'))).toEqual([]);
  });

  it('takes labels for finding a monitor, but none of ours away', () => {
    const labels = { release: 'prometheus', 'app.kubernetes.io/managed-by': 'somebody' };
    const spec = { monitoring: { serviceMonitor: { interval: '30s', labels } } };
    const monitor = find(render(renderContext(claudeNexus({ spec }))), 'ServiceMonitor', 'gateway-proxy');
    expect(monitor.metadata.labels).toMatchObject({
      release: 'prometheus',
      'app.kubernetes.io/managed-by': 'claude-nexus-operator',
    });
    expect(monitor['spec']).toMatchObject({ endpoints: [{ port: 'metrics', interval: '30s' }] });
  });
});

describe('the CloudNativePG cluster', () => {
  it('is one whose superuser the database Job may use', () => {
    const objects = render(renderContext(scenario('cloudNativePG')));
    expect(find(objects, 'Cluster', 'gateway-postgres')['spec']).toEqual({
      instances: 3,
      imageName: 'ghcr.io/cloudnative-pg/postgresql:17',
      enableSuperuserAccess: true,
      bootstrap: { initdb: { database: 'nexus', owner: 'nexus' } },
      storage: { size: '10Gi', storageClass: 'fast' },
      resources: { requests: { memory: '1Gi' } },
    });
  });

  it('goes with the resource, and its volumes with it, only where that is asked for', () => {
    const storage = { size: '10Gi' };
    const cloudNativePG = { instances: 1, storage, deletionPolicy: 'Delete' } as const;
    const objects = render(renderContext(claudeNexus({ spec: { database: { cloudNativePG } } })));
    expect(find(objects, 'Cluster', 'gateway-postgres').metadata.ownerReferences).toHaveLength(1);
  });
});
