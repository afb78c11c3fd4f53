import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { managedFieldsOf } from '../kube/managed-fields.ts';
import type { ManagedFields } from '../kube/managed-fields.ts';
import type { KubeObject } from '../kube/object.ts';
import { FIELD_MANAGER } from './names.ts';

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
  const managers = managedFieldsOf(live).filter((entry) => hasReplicas(entry));
  return managers.some(({ manager, operation }) => manager !== FIELD_MANAGER || operation !== 'Apply');
}

function hasReplicas({ fieldsV1 }: ManagedFields): boolean {
  const spec = fieldsV1?.['f:spec'] as Readonly<Record<string, unknown>> | undefined;
  return spec?.['f:replicas'] !== undefined;
}
