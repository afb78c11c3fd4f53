import type { Action, Observed } from '../controllers/claude-nexus/plan.ts';
import { childrenOf } from './children.ts';

/**
 * Claims of dumps that are not made any more stay, and go with the resource only while its policy is to take its data
 * along: what was tied to it by an earlier policy is let go.
 */
export function releaseLeftClaims(observed: Observed): Action[] {
  const { metadata, spec } = observed.owner;
  const { managed } = spec.database;
  // A claim in use is applied as the policy says.
  if (managed?.backup !== undefined || managed?.deletionPolicy === 'Delete') return [];
  return childrenOf(observed, 'PersistentVolumeClaim', 'backup')
    .filter((claim) => (claim.metadata.ownerReferences ?? []).some(({ uid }) => uid === metadata.uid))
    .map((claim) => ({ type: 'release-claim', claim }) as const);
}
