import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';

/** Never pruned: claims hold data, and pods belong to their Deployment, set or Job. */
const NEVER: ReadonlySet<string> = new Set(['PersistentVolumeClaim', 'Pod']);

export interface PruneInput {
  readonly owner: ClaudeNexus;
  readonly children: readonly KubeObject[];
  readonly desired: readonly KubeObject[];
  /** `Kind/name` */
  readonly keep: ReadonlySet<string>;
}

/** `Kind/name`: names a child within its resource. */
export function childKey(object: { readonly kind: string; readonly metadata: { name: string } }): string {
  return `${object.kind}/${object.metadata.name}`;
}

/** Children this very resource owns and does not want any more. */
export function prunable({ owner, children, desired, keep }: PruneInput): KubeObject[] {
  const wanted = new Set(desired.map((object) => childKey(object)));
  return children.filter(
    (child) =>
      !NEVER.has(child.kind) &&
      !wanted.has(childKey(child)) &&
      !keep.has(childKey(child)) &&
      child.metadata.deletionTimestamp === undefined &&
      (child.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid),
  );
}
