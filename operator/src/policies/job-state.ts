import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';
import { listAt, textAt } from './children.ts';

const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 30 * 60_000;

export type JobState =
  | { readonly state: 'missing' }
  | { readonly state: 'running' }
  | { readonly state: 'succeeded' }
  /** `retryInMs`: until it may be made again; 0 when that is now. */
  | { readonly state: 'failed'; readonly attempt: number; readonly retryInMs: number };

/** @param now milliseconds since the epoch */
export function jobState(job: KubeObject | undefined, now: number): JobState {
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return { state: 'missing' };
  if (conditionOf(job, 'Complete') !== undefined) return { state: 'succeeded' };
  const failed = conditionOf(job, 'Failed');
  if (failed === undefined) return { state: 'running' };
  const attempt = attemptOf(job);
  const since = now - Date.parse(textAt(failed, 'lastTransitionTime') ?? '');
  // An unreadable time counts as just now: waiting once too long is safer than a loop.
  const waited = Number.isNaN(since) ? 0 : since;
  return { state: 'failed', attempt, retryInMs: Math.max(0, retryDelay(attempt) - waited) };
}

/** How often the same Job was tried before. */
export function attemptOf(job: KubeObject | undefined): number {
  const attempt = Number(job?.metadata.annotations?.[ANNOTATIONS.attempt] ?? '0');
  return Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 0;
}

function retryDelay(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 20));
}

function conditionOf(job: KubeObject, type: string): unknown {
  return listAt(job, 'status', 'conditions').find(
    (condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
  );
}
