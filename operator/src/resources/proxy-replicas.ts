import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';
import { FIELD_MANAGER } from './names.ts';

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly 'f:spec'?: { readonly 'f:replicas'?: unknown } };
}

/**
 * What an apply of the proxy's Deployment says about `replicas`; undefined: nothing.
 *
 * An autoscaler sets them. Yet a field that its only owner leaves out goes back to its default, which would take a busy
 * gateway down to one pod: until somebody else owns the field, the live number is repeated.
 *
 * @param live the Deployment as it is, undefined when there is none
 */
export function proxyReplicas(owner: ClaudeNexus, live: KubeObject | undefined): number | undefined {
  const { autoscaling, proxy } = owner.spec;
  if (autoscaling === undefined) return proxy.replicas;
  if (live === undefined) return autoscaling.minReplicas;
  if (isOwnedByOthers(live)) return undefined;
  return (live['spec'] as { readonly replicas?: number } | undefined)?.replicas ?? autoscaling.minReplicas;
}

function isOwnedByOthers(live: KubeObject): boolean {
  const { managedFields = [] } = live.metadata as { readonly managedFields?: readonly ManagedFields[] };
  const managers = managedFields.filter(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:replicas'] !== undefined);
  return managers.some(({ manager, operation }) => manager !== FIELD_MANAGER || operation !== 'Apply');
}
