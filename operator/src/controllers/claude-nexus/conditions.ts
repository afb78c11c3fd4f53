import { ANNOTATIONS } from '../../api/v1alpha1/claude-nexus.ts';
import type { Condition, ConditionType, Reason } from '../../api/v1alpha1/conditions.ts';
import { at, childrenOf, findChild, listAt, nameOf, textAt } from '../../policies/children.ts';
import { podTrouble } from '../../policies/pod-trouble.ts';
import { rolloutOf } from '../../policies/rollout.ts';
import type { Rollout } from '../../policies/rollout.ts';
import type { Observed, Plan } from './plan.ts';
import type { Decisions } from './plan-changes.ts';

export type PlannedCondition = Plan['conditions'][number];

/** What one condition says, without its type. */
interface Verdict {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
  /** No further event will change this: somebody has to do something. */
  readonly stalled?: boolean;
}

/** The conditions Ready is made of, in the order in which the first bad one is told. */
export const PARTS = [
  'CredentialsReady',
  'DatabaseReady',
  'Migrated',
  'ProxyReady',
  'DashboardReady',
] as const satisfies readonly ConditionType[];
export type Part = (typeof PARTS)[number];
type Verdicts = Readonly<Record<Part, Verdict>>;

const yes = (reason: Reason, message: string): Verdict => ({ status: 'True', reason, message });
const no = (reason: Reason, message: string): Verdict => ({ status: 'False', reason, message });
const stuck = (reason: Reason, message: string): Verdict => ({ ...no(reason, message), stalled: true });

/** All conditions of a resource, from what was observed and decided; never from what is about to be done. */
export function conditionsOf(observed: Observed, decisions: Decisions): PlannedCondition[] {
  return summarise(observed, verdictsOf(observed, decisions), decisions);
}

function verdictsOf(observed: Observed, decisions: Decisions): Verdicts {
  return {
    CredentialsReady: credentialsReady(decisions),
    DatabaseReady: databaseReady(observed, decisions),
    Migrated: migrated(decisions),
    ProxyReady: serviceReady(observed, 'proxy'),
    DashboardReady: serviceReady(observed, 'dashboard'),
  };
}

function credentialsReady({ credentials }: Decisions): Verdict {
  const { problems, domainSecrets } = credentials;
  const [first] = problems;
  if (first !== undefined) {
    const message = problems
      .map((problem) => `domain ${problem.host}: ${problem.message}`)
      .join('; ')
      .slice(0, 1000);
    const kept = problems.every(({ lastGoodKept }) => lastGoodKept);
    return kept
      ? no(first.reason, `${message} (the last good credential stays in use)`)
      : stuck(first.reason, message);
  }
  return domainSecrets.length === 0
    ? yes('NoDomains', 'No domain has a credential; add one under spec.domains')
    : yes('UpToDate', inPlace(domainSecrets.length));
}

function inPlace(domains: number): string {
  return domains === 1
    ? 'The credential of 1 domain is in place'
    : `The credentials of ${domains} domains are in place`;
}

function databaseReady(observed: Observed, decisions: Decisions): Verdict {
  const { access } = decisions.database;
  if (access.obstacle !== undefined) {
    const { reason, message } = access.obstacle;
    return reason === 'ClusterNotReady' ? no(reason, message) : stuck(reason, message);
  }
  if (access.mode === 'external') {
    return yes('Available', `The external database of Secret ${access.secret} is used`);
  }
  return access.mode === 'managed' ? managedReady(observed, decisions) : clusterReady(observed);
}

function managedReady(observed: Observed, decisions: Decisions): Verdict {
  const { version, storage } = decisions;
  const { managed } = observed.owner.spec.database;
  if (version?.refused === true) {
    return stuck(
      'MajorVersionChange',
      `The data is of PostgreSQL ${version.version} and stays with it; for ${managed?.version ?? '?'} restore a ` +
        'backup into a new resource, or set spec.database.managed.version back',
    );
  }
  if (storage?.step === 'unsupported') {
    return stuck(
      'StorageExpansionUnsupported',
      `StorageClass ${storage.className ?? ''} cannot expand volumes; allow expansion on it, or ` +
        'restore a backup into a new resource with more storage',
    );
  }
  const name = nameOf(observed, 'postgres');
  const pods = childrenOf(observed, 'Pod', 'postgres');
  const rollout = rolloutOf(findChild(observed, 'StatefulSet', name), pods, `StatefulSet ${name}`);
  if (rollout.state !== 'ready') return ofRollout(rollout);
  const restore = restoreVerdict(decisions);
  if (restore !== undefined) return restore;
  return storage?.step !== 'nothing' || storage.resizing
    ? no('Resizing', `The volume grows to ${managed?.storage.size ?? '?'}`)
    : yes('Available', rollout.message);
}

function restoreVerdict({ restore }: Decisions): Verdict | undefined {
  if (restore === undefined || restore.state.state === 'succeeded') return undefined;
  return restore.state.state === 'failed'
    ? stuck('RestoreFailed', `Job ${restore.name ?? ''} has failed; its pod's log says why`)
    : no('RestoreRunning', `Job ${restore.name ?? ''} fills the database`);
}

function clusterReady(observed: Observed): Verdict {
  const name = nameOf(observed, 'postgres');
  const cluster = findChild(observed, 'Cluster', name);
  const ready = listAt(cluster, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
  );
  if (ready) return yes('Available', `Cluster ${name} is ready`);
  const phase = textAt(cluster, 'status', 'phase') ?? 'it reports nothing yet';
  return no('ClusterNotReady', `Cluster ${name} is not ready: ${phase.slice(0, 200)}`);
}

function migrated({ database, images, restore }: Decisions): Verdict {
  const { job, logins } = database;
  const name = `Job ${job.name ?? ''}`;
  if (job.name === undefined) {
    return restore !== undefined && restore.state.state !== 'succeeded'
      ? no('WaitingForDatabase', 'The database is restored first')
      : no('WaitingForDatabase', 'The database is not known yet; DatabaseReady says why');
  }
  if (job.state.state === 'succeeded') return yes('UpToDate', `${name} has succeeded`);
  if (job.state.state === 'failed') {
    const old = images.waiting ? '; the Deployments stay with the images they have' : '';
    return stuck('JobFailed', `${name} has failed and is tried again${old}; its pod's log says why`);
  }
  if (images.waiting) {
    return no('WaitingForMigration', `The Deployments keep their images until ${name} has succeeded`);
  }
  // A rotation begins after a migration only, and changes logins, not the schema.
  if (logins !== undefined && logins.phase !== 'steady') {
    return yes('RotationRunning', `The schema is up to date; ${name} changes logins`);
  }
  // Its name hangs on values that may have been made up for this plan only: told, it would be another one each time.
  return job.state.state === 'missing'
    ? { status: 'Unknown', reason: 'JobRunning', message: 'The Job of the database is about to be made' }
    : no('JobRunning', `${name} has not succeeded yet`);
}

function serviceReady(observed: Observed, service: 'proxy' | 'dashboard'): Verdict {
  const name = nameOf(observed, service);
  const deployment = findChild(observed, 'Deployment', name);
  const pods = childrenOf(observed, 'Pod', service);
  const rollout = rolloutOf(deployment, pods, `Deployment ${name}`);
  const missing = missingPods(deployment);
  return rollout.state === 'ready' || missing === undefined || podTrouble(pods) !== undefined
    ? ofRollout(rollout)
    : no('PodsFailing', `${rollout.message}; ${missing}`);
}

/** Why no pod comes into being at all: quotas and admission speak here only. */
function missingPods(deployment: unknown): string | undefined {
  const failure = listAt(deployment, 'status', 'conditions').find(
    (condition) => textAt(condition, 'type') === 'ReplicaFailure' && textAt(condition, 'status') === 'True',
  );
  return failure === undefined ? undefined : (textAt(failure, 'message') ?? '').slice(0, 300);
}

function ofRollout({ state, message }: Rollout): Verdict {
  if (state === 'ready') return yes('Available', message);
  if (state === 'failing') return no('PodsFailing', message);
  return { status: state === 'missing' ? 'Unknown' : 'False', reason: 'Progressing', message };
}

/** Adds Ready and the conditions of kstatus to the parts. */
function summarise(
  observed: Observed,
  verdicts: Verdicts,
  decisions: Pick<Decisions, 'database'>,
): PlannedCondition[] {
  const { metadata, status: before } = observed.owner;
  const generation = metadata.generation ?? 0;
  const paused = at(observed.owner, 'metadata', 'annotations', ANNOTATIONS.paused) === 'true';
  // What is not carried out is not seen: a wait for Ready has to go on.
  const observedGeneration = paused ? (before?.observedGeneration ?? 0) : generation;
  const make = (type: ConditionType, { status, reason, message }: Verdict): PlannedCondition => ({
    type,
    status,
    reason,
    message,
    observedGeneration: type === 'Paused' ? generation : observedGeneration,
  });
  const ready = readyOf(verdicts);
  const stalled = PARTS.map((part) => verdicts[part]).find((verdict) => verdict.stalled === true);
  const rotating = (decisions.database.logins?.phase ?? 'steady') !== 'steady';
  const extras: PlannedCondition[] = [];
  if (paused) {
    extras.push(
      make('Paused', yes('Paused', `Annotation ${ANNOTATIONS.paused} is set: nothing is reconciled`)),
    );
  } else if (stalled !== undefined) {
    extras.push(make('Stalled', { ...stalled, status: 'True' }));
  } else if (ready.status !== 'True') {
    extras.push(make('Reconciling', { ...ready, status: 'True' }));
  } else if (rotating) {
    extras.push(make('Reconciling', yes('RotationRunning', 'The database logins are being changed')));
  }
  return [make('Ready', ready), ...PARTS.map((part) => make(part, verdicts[part])), ...extras];
}

function readyOf(verdicts: Verdicts): Verdict {
  const parts = PARTS.map((part) => verdicts[part]);
  const bad =
    parts.find((verdict) => verdict.stalled === true) ??
    parts.find((verdict) => verdict.status === 'False') ??
    parts.find((verdict) => verdict.status === 'Unknown');
  return bad === undefined
    ? yes('AllReady', 'Database, migration, credentials, proxy and dashboard are ready')
    : { status: bad.status, reason: bad.reason, message: bad.message };
}
