import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  DASHBOARD_METRICS_PORT,
  DASHBOARD_PORT,
  POSTGRES_PORT,
  PROXY_METRICS_PORT,
  PROXY_PORT,
} from './addresses.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import type { Component } from './names.ts';
import type { RenderContext } from './render-context.ts';

type Service = 'proxy' | 'dashboard';

const PROGRAMS: readonly Component[] = ['proxy', 'dashboard'];

const HTTP_PORTS = { proxy: PROXY_PORT, dashboard: DASHBOARD_PORT } as const;
const METRICS_PORTS = { proxy: PROXY_METRICS_PORT, dashboard: DASHBOARD_METRICS_PORT } as const;

/** Services of both programs and of the managed PostgreSQL. */
export function services({ owner, has }: RenderContext): KubeObject[] {
  const scraped = has.prometheusOperator && owner.spec.monitoring?.serviceMonitor !== undefined;
  return [
    publicService(owner, 'proxy'),
    publicService(owner, 'dashboard'),
    ...(scraped ? [metricsService(owner, 'proxy'), metricsService(owner, 'dashboard')] : []),
    ...(owner.spec.database.managed === undefined ? [] : [postgresService(owner)]),
  ];
}

/** One Service account per program; none of them can reach the API server. */
export function serviceAccounts({ owner }: RenderContext): KubeObject[] {
  const components: readonly Component[] =
    owner.spec.database.managed === undefined ? PROGRAMS : [...PROGRAMS, 'postgres'];
  return components.map((component) =>
    child(
      {
        owner,
        kind: KINDS.ServiceAccount,
        component,
        name: childName(owner.metadata.name, component),
      },
      { automountServiceAccountToken: false },
    ),
  );
}

function publicService(owner: ClaudeNexus, component: Service): KubeObject {
  const { service } = owner.spec[component];
  return child(
    {
      owner,
      kind: KINDS.Service,
      component,
      name: childName(owner.metadata.name, component),
      annotations: service?.annotations,
    },
    {
      spec: {
        type: service?.type ?? 'ClusterIP',
        selector: selectorLabels(owner, component),
        ports: [{ name: 'http', port: HTTP_PORTS[component], targetPort: 'http', protocol: 'TCP' }],
      },
    },
  );
}

/** Apart from the public Service, which may be a load balancer: metrics stay inside the cluster. */
function metricsService(owner: ClaudeNexus, component: Service): KubeObject {
  return child(
    {
      owner,
      kind: KINDS.Service,
      component,
      name: childName(owner.metadata.name, `${component}-metrics`),
    },
    {
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        selector: selectorLabels(owner, component),
        ports: [{ name: 'metrics', port: METRICS_PORTS[component], targetPort: 'metrics', protocol: 'TCP' }],
      },
    },
  );
}

function postgresService(owner: ClaudeNexus): KubeObject {
  return child(
    {
      owner,
      kind: KINDS.Service,
      component: 'postgres',
      name: childName(owner.metadata.name, 'postgres'),
    },
    {
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        selector: selectorLabels(owner, 'postgres'),
        ports: [{ name: 'postgres', port: POSTGRES_PORT, targetPort: 'postgres', protocol: 'TCP' }],
      },
    },
  );
}
