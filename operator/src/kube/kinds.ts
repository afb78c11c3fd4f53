/** What the API server has to be told to reach objects of a kind. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (apiVersion: string, kind: string, plural: string): Kind => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});

const cluster = (apiVersion: string, kind: string, plural: string): Kind => ({
  apiVersion,
  kind,
  plural,
  namespaced: false,
});

/** Every kind the operator touches, by its kind name. */
export const KINDS = {
  ClaudeNexus: namespaced('claudenexus.dev/v1alpha1', 'ClaudeNexus', 'claudenexuses'),
  ConfigMap: namespaced('v1', 'ConfigMap', 'configmaps'),
  Event: namespaced('events.k8s.io/v1', 'Event', 'events'),
  PersistentVolumeClaim: namespaced('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  Pod: namespaced('v1', 'Pod', 'pods'),
  Secret: namespaced('v1', 'Secret', 'secrets'),
  Service: namespaced('v1', 'Service', 'services'),
  ServiceAccount: namespaced('v1', 'ServiceAccount', 'serviceaccounts'),
  Deployment: namespaced('apps/v1', 'Deployment', 'deployments'),
  StatefulSet: namespaced('apps/v1', 'StatefulSet', 'statefulsets'),
  HorizontalPodAutoscaler: namespaced(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    'horizontalpodautoscalers',
  ),
  CronJob: namespaced('batch/v1', 'CronJob', 'cronjobs'),
  Job: namespaced('batch/v1', 'Job', 'jobs'),
  Lease: namespaced('coordination.k8s.io/v1', 'Lease', 'leases'),
  Ingress: namespaced('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  NetworkPolicy: namespaced('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  PodDisruptionBudget: namespaced('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  /** Prometheus operator; may be absent from a cluster. */
  PrometheusRule: namespaced('monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
  ServiceMonitor: namespaced('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
  /** CloudNativePG; may be absent from a cluster. */
  Cluster: namespaced('postgresql.cnpg.io/v1', 'Cluster', 'clusters'),
  CustomResourceDefinition: cluster(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
  ),
  Namespace: cluster('v1', 'Namespace', 'namespaces'),
  StorageClass: cluster('storage.k8s.io/v1', 'StorageClass', 'storageclasses'),
} as const satisfies Readonly<Record<string, Kind>>;
