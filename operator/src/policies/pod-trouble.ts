import type { KubeObject } from '../kube/object.ts';
import { listAt, textAt } from './children.ts';

/** Reasons of a waiting container that do not pass by themselves. */
const STUCK: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
]);

/**
 * What keeps the first troubled pod from running, in words that name it; undefined when none is in trouble. Messages of
 * containers are left out: they repeat what the program printed.
 */
export function podTrouble(pods: readonly KubeObject[]): string | undefined {
  return pods
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((pod) => unschedulable(pod) ?? stuckContainer(pod))
    .find((trouble) => trouble !== undefined);
}

function unschedulable(pod: KubeObject): string | undefined {
  const condition = listAt(pod, 'status', 'conditions').find(
    (condition) =>
      textAt(condition, 'type') === 'PodScheduled' && textAt(condition, 'reason') === 'Unschedulable',
  );
  if (condition === undefined) return undefined;
  const message = textAt(condition, 'message') ?? 'no node fits';
  return `pod ${pod.metadata.name} is Unschedulable: ${message.slice(0, 300)}`;
}

function stuckContainer(pod: KubeObject): string | undefined {
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ];
  for (const status of statuses) {
    const reason = textAt(status, 'state', 'waiting', 'reason');
    if (reason !== undefined && STUCK.has(reason)) {
      return `pod ${pod.metadata.name}: container ${textAt(status, 'name') ?? '?'} is in ${reason}`;
    }
  }
  return undefined;
}
