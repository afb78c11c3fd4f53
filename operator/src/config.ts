import { ConfigError, LOG_LEVELS, readConfig } from '@claude-nexus/runtime';
import type { ConfigOf, ConfigTable, Environment } from '@claude-nexus/runtime';

/** Every setting of the operator. Nothing else of the environment is read. */
export const OPERATOR_CONFIG = {
  watchNamespaces: {
    env: 'WATCH_NAMESPACES',
    kind: 'string',
    default: '',
    description:
      'Namespaces to serve, separated by commas; empty: all. With a list no request goes beyond them, and the CRD must be there.',
  },
  podNamespace: {
    env: 'POD_NAMESPACE',
    kind: 'string',
    description: "Namespace of the leader's Lease; default: that of the kubeconfig's context or of the pod.",
  },
  leaseName: {
    env: 'LEASE_NAME',
    kind: 'string',
    default: 'claude-nexus-operator',
    description: 'Name of the Lease by which replicas agree on a leader.',
  },
  leaderElection: {
    env: 'LEADER_ELECTION',
    kind: 'boolean',
    default: 'true',
    description: 'Work only while holding the Lease; false: only where there is never a second operator.',
  },
  leaseDurationMs: {
    env: 'LEASE_DURATION',
    kind: 'duration',
    min: 3000,
    default: '15s',
    description: 'How long others wait for a leader that is silent. It gives up after two thirds of that.',
  },
  proxyImage: {
    env: 'PROXY_IMAGE',
    kind: 'string',
    default: 'claude-nexus/proxy:0.1.0',
    description: 'Image of the proxy where a resource names none.',
  },
  dashboardImage: {
    env: 'DASHBOARD_IMAGE',
    kind: 'string',
    default: 'claude-nexus/dashboard:0.1.0',
    description: 'Image of the dashboard where a resource names none.',
  },
  postgresImage: {
    env: 'POSTGRES_IMAGE',
    kind: 'string',
    default: 'postgres',
    description: 'PostgreSQL image without its tag, which is the major version.',
  },
  runbookUrl: {
    env: 'RUNBOOK_URL',
    kind: 'string',
    default: 'https://claudenexus.dev/docs/operations',
    description: 'Page with a section for each alert; its address is on every alert of a PrometheusRule.',
  },
  resyncIntervalMs: {
    env: 'RESYNC_INTERVAL',
    kind: 'duration',
    min: 1000,
    default: '10m',
    description:
      'How often a resource is looked at, and everything is listed, although nothing seems to have happened.',
  },
  watchTimeoutMs: {
    env: 'WATCH_TIMEOUT',
    kind: 'duration',
    min: 1000,
    default: '5m',
    description: 'How long a watch may last before it is opened again; a dead one is noticed soon after.',
  },
  requestTimeoutMs: {
    env: 'REQUEST_TIMEOUT',
    kind: 'duration',
    min: 1000,
    default: '30s',
    description: 'How long the API server may take to answer.',
  },
  livenessTimeoutMs: {
    env: 'LIVENESS_TIMEOUT',
    kind: 'duration',
    min: 1000,
    default: '10m',
    description:
      '/livez fails when nothing was heard from the API server for so long; longer than WATCH_TIMEOUT.',
  },
  host: { env: 'HOST', kind: 'string', default: '0.0.0.0', description: 'Address to listen on.' },
  metricsPort: {
    env: 'METRICS_PORT',
    kind: 'port',
    default: '8080',
    description: 'Port of GET /metrics; 0 takes a free one.',
  },
  healthPort: {
    env: 'HEALTH_PORT',
    kind: 'port',
    default: '8081',
    description: 'Port of GET /livez and /readyz; 0 takes a free one.',
  },
  concurrency: {
    env: 'CONCURRENCY',
    kind: 'integer',
    min: 1,
    max: 64,
    default: '4',
    description: 'Resources worked on at the same time.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: 'enum',
    values: LOG_LEVELS,
    default: 'info',
    description: 'Least severity logged.',
  },
  serviceHost: {
    env: 'KUBERNETES_SERVICE_HOST',
    kind: 'string',
    description: 'Address of the API server; Kubernetes sets it in every pod.',
  },
  servicePort: {
    env: 'KUBERNETES_SERVICE_PORT',
    kind: 'port',
    default: '443',
    description: 'Port of the API server; Kubernetes sets it in every pod.',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    kind: 'string',
    description: 'Kubeconfig file; default: the one of kubectl, in a pod its service account.',
  },
} as const satisfies ConfigTable;

export interface OperatorConfig extends Omit<ConfigOf<typeof OPERATOR_CONFIG>, 'watchNamespaces'> {
  /** Empty: all. */
  readonly namespaces: readonly string[];
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * @returns the settings and one line per warning, to be logged once
 * @throws {ConfigError} in one line that names every unusable setting
 */
export function readOperatorConfig(env: Environment): {
  config: OperatorConfig;
  warnings: readonly string[];
} {
  const { config, warnings } = readConfig(OPERATOR_CONFIG, env);
  const { watchNamespaces, ...rest } = config;
  const namespaces = [
    ...new Set(
      watchNamespaces
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ];
  if (!namespaces.every((name) => NAMESPACE.test(name))) {
    throw new ConfigError(['WATCH_NAMESPACES must be names of namespaces separated by commas']);
  }
  return { config: { ...rest, namespaces }, warnings };
}
