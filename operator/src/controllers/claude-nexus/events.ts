import type { Condition } from '../../api/v1alpha1/conditions.ts';
import type { PlannedCondition } from './conditions.ts';
import { PARTS } from './conditions.ts';
import type { Plan } from './plan.ts';

type PlanEvent = Plan['events'][number];

/** Reasons that say how far something is, not that something is wrong. */
const QUIET: ReadonlySet<string> = new Set([
  'ClusterNotReady',
  'JobRunning',
  'Progressing',
  'RestoreRunning',
  'WaitingForDatabase',
]);

/** Events for what changed since the conditions were last written: nothing changed, nothing is told. */
export function eventsOf(before: readonly Condition[], after: readonly PlannedCondition[]): PlanEvent[] {
  return after.flatMap((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const changed = old?.status !== condition.status || old.reason !== condition.reason;
    const type = changed ? eventType(condition) : undefined;
    return type === undefined ? [] : [{ type, reason: condition.reason, note: condition.message }];
  });
}

function eventType({ type, status, reason }: PlannedCondition): PlanEvent['type'] | undefined {
  if (type === 'Ready') return status === 'True' ? 'Normal' : undefined;
  const isPart = (PARTS as readonly string[]).includes(type);
  return isPart && status === 'False' && !QUIET.has(reason) ? 'Warning' : undefined;
}
