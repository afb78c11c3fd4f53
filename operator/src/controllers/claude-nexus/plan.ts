import type { ClaudeNexus, ClaudeNexusStatus } from '../../api/v1alpha1/claude-nexus.ts';
import type { Condition, Reason } from '../../api/v1alpha1/conditions.ts';
import type { Kind } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';

/** A consistent look at what concerns one resource. All objects are copies. */
export interface Observed {
  readonly owner: ClaudeNexus;
  /** Objects with our labels and this instance, of every kind the operator makes, pods and claims included. */
  readonly children: readonly KubeObject[];
  /** Secrets by name, read just now: those the spec refers to, our own, those CloudNativePG makes. */
  readonly secrets: ReadonlyMap<string, KubeObject>;
  readonly has: { readonly prometheusOperator: boolean; readonly cloudNativePG: boolean };
  /** Storage classes by name whether they can expand; undefined where they may not be read (namespaced mode). */
  readonly expandable: ReadonlyMap<string, boolean> | undefined;
}

/** A step that is no apply: done in order, before the applies. Each is safe to repeat. */
export type Action =
  /** POST; an existing object is left as it is and the reconcile starts over. */
  | { readonly type: 'create'; readonly kind: Kind; readonly object: KubeObject }
  /** Merge patch of a claim's storage request. */
  | { readonly type: 'expand-claim'; readonly name: string; readonly size: string }
  /** Merge patch of a set, so that its claims survive it. */
  | { readonly type: 'retain-claims'; readonly set: KubeObject }
  /** Merge patch of a claim, so that it outlives the resource. */
  | { readonly type: 'release-claim'; readonly claim: KubeObject }
  /** Delete with the pods kept, so that it can be made anew with another claim template. */
  | { readonly type: 'orphan-set'; readonly set: KubeObject }
  /** Replace of a Secret of ours, guarded by its resourceVersion. */
  | { readonly type: 'update-secret'; readonly object: KubeObject }
  | { readonly type: 'delete'; readonly kind: Kind; readonly object: KubeObject };

/** What one reconcile is to do. Made by pure code from what was observed. */
export interface Plan {
  readonly actions: readonly Action[];
  /** Applied in this order; a child that is neither here nor in `keep` is pruned. */
  readonly desired: readonly KubeObject[];
  /** `Kind/name` of children that are neither applied nor pruned: generated ones, and what cannot be decided now. */
  readonly keep: ReadonlySet<string>;
  /** False: what is not desired is left alone (the resource is paused). */
  readonly prune: boolean;
  /** Without lastTransitionTime, which the status writer adds. */
  readonly conditions: readonly Omit<Condition, 'lastTransitionTime'>[];
  readonly status: Omit<ClaudeNexusStatus, 'conditions'>;
  /** Told once, because the actions happen once; changes of conditions are told by the controller. */
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning';
    readonly reason: Reason;
    readonly note: string;
  }[];
  /** Look again after so long although nothing may have changed. */
  readonly requeueAfterMs?: number;
}
