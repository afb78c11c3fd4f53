/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Read from the cache, looked at before the first apply, applied (which creates), pruned. */
const APPLIED = ['get', 'list', 'watch', 'create', 'patch'] as const;
const PRUNED = [...APPLIED, 'delete'] as const;

/** What the operator does in every namespace it serves: in a ClusterRole, or in a Role of each. Exactly what it uses. */
export const NAMESPACE_RULES: readonly PolicyRule[] = [
  { apiGroups: ['claudenexus.dev'], resources: ['claudenexuses'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['claudenexus.dev'], resources: ['claudenexuses/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: [...PRUNED, 'update'] },
  { apiGroups: [''], resources: ['serviceaccounts', 'services'], verbs: PRUNED },
  // Claims hold data: the operator has no right to delete one.
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: APPLIED },
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: APPLIED },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: PRUNED },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: PRUNED },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: PRUNED },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: PRUNED },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: PRUNED },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  {
    apiGroups: ['monitoring.coreos.com'],
    resources: ['prometheusrules', 'servicemonitors'],
    verbs: PRUNED,
  },
  // Nor a cluster, whose data goes with it.
  { apiGroups: ['postgresql.cnpg.io'], resources: ['clusters'], verbs: APPLIED },
];

/** What it does beyond namespaces: only when it serves all of them. */
export const CLUSTER_RULES: readonly PolicyRule[] = [
  { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    resourceNames: ['claudenexuses.claudenexus.dev'],
    verbs: ['get', 'create', 'patch'],
  },
];

/** What it does in its own namespace: agree on a leader. */
export function leaseRules(leaseName: string): readonly PolicyRule[] {
  const lease = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] } as const;
  return [
    // A create names no object the server could compare.
    { ...lease, verbs: ['create'] },
    { ...lease, resourceNames: [leaseName], verbs: ['get', 'update'] },
  ];
}
