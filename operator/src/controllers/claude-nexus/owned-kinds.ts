import { KINDS } from '../../kube/kinds.ts';
import type { Kind } from '../../kube/kinds.ts';

/** Kinds of children, watched by their labels. Pods and claims are made by others from what we make. */
export const OWNED_KINDS: readonly Kind[] = [
  KINDS.ServiceAccount,
  KINDS.Service,
  KINDS.NetworkPolicy,
  KINDS.Deployment,
  KINDS.StatefulSet,
  KINDS.Job,
  KINDS.CronJob,
  KINDS.PodDisruptionBudget,
  KINDS.HorizontalPodAutoscaler,
  KINDS.Ingress,
  KINDS.PersistentVolumeClaim,
  KINDS.Pod,
];

/** Kinds of children whose API a cluster may not have. */
export const OPTIONAL_KINDS: readonly Kind[] = [KINDS.ServiceMonitor, KINDS.PrometheusRule, KINDS.Cluster];

/** What the API server has to be told to reach a child. */
export function kindOf(object: { readonly kind: string }): Kind {
  const kind = (KINDS as Readonly<Record<string, Kind>>)[object.kind];
  if (kind === undefined) throw new TypeError(`unknown kind ${object.kind}`);
  return kind;
}
