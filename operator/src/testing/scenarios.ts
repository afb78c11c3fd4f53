import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { claudeNexus, managedDatabase } from './claude-nexus.ts';
import type { ClaudeNexusOptions } from './claude-nexus.ts';

const SCHEDULING = {
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'nexus', effect: 'NoSchedule' }],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'arch', operator: 'In', values: ['amd64'] }] }],
      },
    },
  },
  priorityClassName: 'system-cluster-critical',
};

const DOMAINS = ['api.one.example', 'api.two.example'].map(domain);

function domain(host: string) {
  return { host, credential: { secretRef: { name: 'credentials', key: 'key' } } };
}

type Spec = NonNullable<ClaudeNexusOptions['spec']>;

const FULL: Spec = {
  images: { pullPolicy: 'IfNotPresent', pullSecrets: [{ name: 'registry' }] },
  proxy: {
    replicas: 3,
    terminationGracePeriodSeconds: 400,
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } },
    scheduling: SCHEDULING,
    service: { type: 'LoadBalancer', annotations: { 'example.com/pool': 'public' } },
  },
  dashboard: {
    replicas: 2,
    basePath: '/nexus/',
    keySecretRef: { name: 'dashboard', key: 'key' },
    resources: { limits: { cpu: '500m', memory: '256Mi' } },
    scheduling: { nodeSelector: { disk: 'fast' } },
    service: { type: 'NodePort' },
  },
  database: managedDatabase({
    storage: { size: '20Gi', storageClassName: 'fast' },
    deletionPolicy: 'Delete',
    resources: { limits: { memory: '1Gi' } },
    scheduling: SCHEDULING,
    backup: { schedule: '0 3 * * *', keep: 7, storage: { size: '30Gi' }, suspend: false },
    restore: { claimName: 'old-backup', file: 'latest' },
  }),
  domains: DOMAINS,
  ingress: {
    className: 'nginx',
    annotations: { 'example.com/timeout': '3600' },
    proxy: [
      { host: 'api.one.example', tlsSecretName: 'tls' },
      { host: 'api.two.example', tlsSecretName: 'tls' },
    ],
    dashboard: { host: 'nexus.example', tlsSecretName: 'dashboard-tls' },
  },
  monitoring: {
    serviceMonitor: { interval: '30s', labels: { release: 'prometheus' } },
    prometheusRule: { labels: { release: 'prometheus' } },
  },
  networkPolicy: {
    enabled: true,
    from: [{ namespaceSelector: { matchLabels: { team: 'clients' } } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }],
  },
};

/** Specs that together reach every builder and every branch that changes the shape of an object. */
export const SCENARIOS: Readonly<Record<string, Spec>> = {
  minimal: {},
  full: FULL,
  external: {
    domains: [...DOMAINS, domain('[fd00::1]')],
    database: { external: { secretRef: { name: 'database-urls' } } },
  },
  cloudNativePG: {
    database: {
      cloudNativePG: {
        instances: 3,
        imageName: 'ghcr.io/cloudnative-pg/postgresql:17',
        storage: { size: '10Gi', storageClassName: 'fast' },
        resources: { requests: { memory: '1Gi' } },
        deletionPolicy: 'Retain',
      },
    },
  },
  autoscaling: {
    autoscaling: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70 },
    dashboard: { replicas: 2 },
  },
  ingress: { domains: DOMAINS, ingress: {} },
  monitoring: { monitoring: { serviceMonitor: { interval: '1m' }, prometheusRule: {} } },
};

/** The resource of a scenario. */
export function scenario(name: string, options: Omit<ClaudeNexusOptions, 'spec'> = {}): ClaudeNexus {
  return claudeNexus({ ...options, spec: SCENARIOS[name] ?? {} });
}
