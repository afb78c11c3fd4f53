import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { KubeObject } from '../../kube/object.ts';
import { componentOf } from '../../policies/children.ts';
import { PARTS } from './conditions.ts';
import type { Part, PlannedCondition } from './conditions.ts';

/** What happened to one child while a plan was carried out. */
export type Outcome =
  /** It was not written: the reason, and a sentence without contents. */
  | {
      readonly type: 'refused';
      readonly child: KubeObject;
      readonly reason: Extract<Reason, 'NameTaken' | 'ApplyRefused' | 'StorageExpansionUnsupported'>;
      readonly message: string;
    }
  /** It was written, so that what was observed says nothing about it yet. */
  | { readonly type: 'ahead'; readonly child: KubeObject };

const PART_OF: Readonly<Record<string, Part>> = {
  proxy: 'ProxyReady',
  dashboard: 'DashboardReady',
  postgres: 'DatabaseReady',
  restore: 'DatabaseReady',
  backup: 'DatabaseReady',
  database: 'Migrated',
  credentials: 'CredentialsReady',
};

/** Kinds whose state a condition tells. */
const TELLING: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'Cluster']);

/**
 * The planned conditions, corrected by what carrying the plan out showed. A child that was just changed is not ready
 * however good it looked before, or `kubectl wait` would return before the change has happened.
 */
export function settleConditions(
  conditions: readonly PlannedCondition[],
  outcomes: readonly Outcome[],
): PlannedCondition[] {
  const refused = outcomes.flatMap((outcome) => (outcome.type === 'refused' ? [outcome] : []));
  const ahead = outcomes.filter(({ type, child }) => type === 'ahead' && TELLING.has(child.kind));
  let result = [...conditions];
  for (const { child } of ahead) {
    const message = `${child.kind} ${child.metadata.name} was just changed`;
    result = correct(result, partOf(child), { reason: 'Progressing', message, onlyTrue: true });
  }
  for (const { child, reason, message } of refused) {
    result = correct(result, partOf(child), { reason, message, onlyTrue: false });
  }
  const [first] = refused;
  if (first === undefined) return ahead.length > 0 ? reconciling(result) : result;
  const generation = result[0]?.observedGeneration ?? 0;
  return [
    ...result.filter(({ type }) => type !== 'Reconciling' && type !== 'Stalled'),
    {
      type: 'Stalled',
      status: 'True',
      reason: first.reason,
      message: first.message,
      observedGeneration: generation,
    },
  ];
}

function partOf(child: KubeObject): Part {
  return PART_OF[componentOf(child) ?? ''] ?? PARTS[0];
}

interface Correction {
  readonly reason: Reason;
  readonly message: string;
  /** Leaves a condition alone that is not True already. */
  readonly onlyTrue: boolean;
}

function correct(
  conditions: readonly PlannedCondition[],
  part: Part,
  { reason, message, onlyTrue }: Correction,
): PlannedCondition[] {
  return conditions.map((condition) => {
    const concerned = condition.type === part || condition.type === 'Ready';
    if (!concerned || (onlyTrue && condition.status !== 'True')) return condition;
    return { ...condition, status: 'False', reason, message };
  });
}

/** Says that work goes on where the plan had seen none left. */
function reconciling(conditions: readonly PlannedCondition[]): PlannedCondition[] {
  const ready = conditions.find(({ type }) => type === 'Ready');
  const told = conditions.some(({ type }) => ['Reconciling', 'Stalled', 'Paused'].includes(type));
  if (told || ready === undefined || ready.status === 'True') return [...conditions];
  return [...conditions, { ...ready, type: 'Reconciling', status: 'True' }];
}
