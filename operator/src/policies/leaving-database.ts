import type { Action, Observed } from '../controllers/claude-nexus/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { childrenOf, findChild, nameOf, numberAt, textAt } from './children.ts';

export interface LeavingDecision {
  readonly actions: readonly Action[];
  /** The set has to stay until its claims are free of it. */
  readonly keepsSet: boolean;
}

/**
 * The managed database is not wanted any more, but its resource is: the data stays, whatever happens to it when the
 * resource goes. A set that takes its claims with it is first told not to; it goes once its controller has let go of them.
 */
export function decideLeaving(observed: Observed): LeavingDecision {
  const set = findChild(observed, 'StatefulSet', nameOf(observed, 'postgres'));
  if (set === undefined || observed.owner.spec.database.managed !== undefined) {
    return { actions: [], keepsSet: false };
  }
  if (textAt(set, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') === 'Delete') {
    return { actions: [{ type: 'retain-claims', set }], keepsSet: true };
  }
  const claims = childrenOf(observed, 'PersistentVolumeClaim', 'postgres');
  const isSeen = (numberAt(set, 'status', 'observedGeneration') ?? 0) >= (set.metadata.generation ?? 0);
  return { actions: [], keepsSet: !isSeen || claims.some((claim) => belongsTo(claim, set)) };
}

function belongsTo(claim: KubeObject, set: KubeObject): boolean {
  return (claim.metadata.ownerReferences ?? []).some(({ uid }) => uid === set.metadata.uid);
}
