import type { KubeObject } from '../kube/object.ts';
import { numberAt, textAt } from './children.ts';
import { podTrouble } from './pod-trouble.ts';

export interface Rollout {
  /** `missing`: not seen yet. `failing`: a pod is stuck. */
  readonly state: 'ready' | 'progressing' | 'failing' | 'missing';
  readonly message: string;
}

/**
 * How far a Deployment or StatefulSet is with what its spec says.
 *
 * @param pods its pods, for what they are stuck with
 */
export function rolloutOf(
  workload: KubeObject | undefined,
  pods: readonly KubeObject[],
  name: string,
): Rollout {
  if (workload === undefined) return { state: 'missing', message: `${name} does not exist yet` };
  const label = `${workload.kind} ${workload.metadata.name}`;
  const unfinished = unfinishedPart(workload);
  if (unfinished === undefined) return { state: 'ready', message: `${label} is rolled out and available` };
  const trouble = podTrouble(pods);
  return trouble === undefined
    ? { state: 'progressing', message: `${label}: ${unfinished}` }
    : { state: 'failing', message: `${label}: ${unfinished}; ${trouble}` };
}

function unfinishedPart(workload: KubeObject): string | undefined {
  const observed = numberAt(workload, 'status', 'observedGeneration') ?? 0;
  if (observed < (workload.metadata.generation ?? 0)) return 'its controller has not seen the last change';
  const wanted = numberAt(workload, 'spec', 'replicas') ?? 1;
  const count = (field: string) => numberAt(workload, 'status', field) ?? 0;
  const updated = updatedReplicas(workload, wanted);
  if (updated < wanted) return `${updated} of ${wanted} pods are updated`;
  if (count('replicas') > updated) return `${count('replicas') - updated} old pods are left`;
  const available = count('availableReplicas');
  return available < wanted ? `${available} of ${wanted} pods are available` : undefined;
}

/** A StatefulSet whose revisions agree has nothing to update, although it then may not count updated pods. */
function updatedReplicas(workload: KubeObject, wanted: number): number {
  const current = textAt(workload, 'status', 'currentRevision');
  const settled = current !== undefined && current === textAt(workload, 'status', 'updateRevision');
  return settled
    ? Math.min(wanted, numberAt(workload, 'status', 'replicas') ?? 0)
    : (numberAt(workload, 'status', 'updatedReplicas') ?? 0);
}
