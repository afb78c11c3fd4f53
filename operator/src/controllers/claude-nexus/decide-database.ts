import { ANNOTATIONS } from '../../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keyedDigest } from '../../policies/checksums.ts';
import { childrenOf, findChild, nameOf } from '../../policies/children.ts';
import {
  LOGINS_KEY,
  OWNER_URL_KEY,
  cloudNativePgAccess,
  databaseMode,
  externalAccess,
  managedAccess,
} from '../../policies/database-access.ts';
import type { DatabaseAccess } from '../../policies/database-access.ts';
import {
  create,
  lostEvents,
  ownSecret,
  planPostgresPassword,
  reclaim,
  update,
} from '../../policies/generated-secrets.ts';
import type { Generated, Random } from '../../policies/generated-secrets.ts';
import { attemptOf, jobState } from '../../policies/job-state.ts';
import type { JobState } from '../../policies/job-state.ts';
import { switchedOver } from '../../policies/login-users.ts';
import { LOGIN_STATE_KEY, newLogins, nextLogins, parseLogins } from '../../policies/logins.ts';
import type { LoginState } from '../../policies/logins.ts';
import { childKey } from '../../policies/prune.ts';
import { secretText } from '../../policies/secret.ts';
import { databaseJob } from '../../resources/database-job.ts';
import type { DatabaseJobInput } from '../../resources/render-context.ts';
import type { Action, Observed, Plan } from './plan.ts';

/** A Job as it is wanted now and what became of it. */
export interface JobDecision {
  readonly name: string | undefined;
  readonly state: JobState;
  readonly attempt: number;
  readonly actions: readonly Action[];
}

export interface DatabaseDecision {
  readonly access: DatabaseAccess;
  /** After this plan's step of a rotation; undefined for an external database. */
  readonly logins: LoginState | undefined;
  readonly job: JobDecision;
  readonly jobInput: DatabaseJobInput | undefined;
  readonly actions: readonly Action[];
  readonly events: Plan['events'];
  /** Generated Secrets that exist after the actions. */
  readonly generated: readonly string[];
  readonly keep: readonly string[];
}

export interface DatabaseInputs {
  readonly random: Random;
  readonly now: number;
  /** Image of the database Job. */
  readonly image: string;
  /** Key under which digests of secrets are made. */
  readonly digestKey: string;
  /** False while the database must stay empty for a restore. */
  readonly mayMigrate: boolean;
}

/** Which database there is, how its logins stand, and what its Job is to do. */
export function decideDatabase(observed: Observed, inputs: DatabaseInputs): DatabaseDecision {
  const mode = databaseMode(observed.owner.spec);
  if (mode === 'external') {
    const access = externalAccess(observed);
    return {
      access,
      logins: undefined,
      ...decideJob(observed, access, inputs),
      actions: [],
      events: [],
      generated: keptPassword(observed),
      keep: keptJobs(observed, access, inputs),
    };
  }
  const password = mode === 'managed' ? passwordOf(observed, inputs.random) : undefined;
  const accessWith = (logins: LoginState) =>
    mode === 'managed'
      ? managedAccess(observed, logins, password?.value)
      : cloudNativePgAccess(observed, logins);
  const stored = planLogins(observed, inputs.random);
  const step = advance(observed, stored, { inputs, accessWith });
  const access = accessWith(step.logins);
  return {
    access,
    logins: step.logins,
    ...decideJob(observed, access, inputs),
    actions: [...(password?.actions ?? []), ...step.actions],
    events: [...(password?.events ?? []), ...stored.events],
    generated: [
      stored.name,
      ...(password === undefined
        ? keptPassword(observed)
        : password.value === undefined
          ? []
          : [password.name]),
    ],
    keep: keptJobs(observed, access, inputs),
  };
}

function passwordOf(observed: Observed, random: Random): Generated<string | undefined> {
  const policy = observed.owner.spec.database.managed?.deletionPolicy ?? 'Retain';
  return planPostgresPassword(observed, policy, random);
}

/** The password of data that is not used now, but still there. */
function keptPassword(observed: Observed): string[] {
  const name = nameOf(observed, 'postgres-password');
  const dataExists = childrenOf(observed, 'PersistentVolumeClaim', 'postgres').length > 0;
  return dataExists && observed.secrets.has(name) ? [name] : [];
}

function planLogins(observed: Observed, random: Random): Generated<LoginState> {
  const name = nameOf(observed, 'logins');
  const secret = observed.secrets.get(name);
  const stored = parseLogins(secretText(secret, LOGIN_STATE_KEY));
  if (secret !== undefined && stored !== undefined) {
    return { name, value: stored, actions: reclaim(observed.owner, secret), events: [] };
  }
  const value = newLogins(random, rotationOf(observed));
  const texts = { [LOGIN_STATE_KEY]: JSON.stringify(value) };
  const object = ownSecret(observed.owner, { name, component: 'database', texts });
  return {
    name,
    value,
    actions: [secret === undefined ? create(object) : update(secret, texts, {})],
    events: lostEvents(observed, name, 'the database Job sets new passwords'),
  };
}

function rotationOf(observed: Observed): string | undefined {
  return observed.owner.metadata.annotations?.[ANNOTATIONS.rotateLogins];
}

interface Advance {
  readonly inputs: DatabaseInputs;
  readonly accessWith: (logins: LoginState) => DatabaseAccess;
}

/** One step of a rotation, stored before anything that follows from it is applied. */
function advance(
  observed: Observed,
  stored: Generated<LoginState>,
  { inputs, accessWith }: Advance,
): { readonly logins: LoginState; readonly actions: readonly Action[] } {
  const secret = observed.secrets.get(stored.name);
  if (secret === undefined || stored.actions.length > 0) {
    return { logins: stored.value, actions: stored.actions };
  }
  const { job } = decideJob(observed, accessWith(stored.value), inputs);
  const facts = {
    wanted: rotationOf(observed),
    jobDone: job.state.state === 'succeeded',
    switchedOver: switchedOver(observed, stored.value),
  };
  const logins = nextLogins(stored.value, facts, inputs.random);
  const texts = { [LOGIN_STATE_KEY]: JSON.stringify(logins) };
  return { logins, actions: logins === stored.value ? [] : [update(secret, texts, {})] };
}

function decideJob(
  observed: Observed,
  access: DatabaseAccess,
  inputs: DatabaseInputs,
): Pick<DatabaseDecision, 'job' | 'jobInput'> {
  const { ownerUrl, texts } = access;
  if (!isDecidable(access, inputs) || ownerUrl === undefined) {
    return {
      job: { name: undefined, state: { state: 'missing' }, attempt: 0, actions: [] },
      jobInput: undefined,
    };
  }
  const input: DatabaseJobInput = {
    revision: keyedDigest(inputs.digestKey, [ownerUrl, texts?.[LOGINS_KEY] ?? '']),
    attempt: 0,
    image: inputs.image,
    ownerUrl: { secret: access.secret, key: OWNER_URL_KEY },
    loginsSecret: texts === undefined ? undefined : access.secret,
  };
  const job = decideAttempt(observed, databaseJob(observed.owner, input).metadata.name, inputs.now);
  return { job, jobInput: { ...input, attempt: job.attempt } };
}

/** A Job that failed is made again after a delay that grows, so that a fault that passes heals itself. */
export function decideAttempt(observed: Observed, name: string, now: number): JobDecision {
  const job = findChild(observed, 'Job', name);
  const state = jobState(job, now);
  const attempt = attemptOf(job);
  if (job === undefined || state.state !== 'failed' || state.retryInMs > 0) {
    return { name, state, attempt, actions: [] };
  }
  const remove: Action = { type: 'delete', kind: KINDS.Job, object: job };
  return { name, state, attempt: attempt + 1, actions: [remove] };
}

function isDecidable(access: DatabaseAccess, inputs: DatabaseInputs): boolean {
  return inputs.mayMigrate && access.obstacle === undefined && access.ownerUrl !== undefined;
}

/** Jobs stay as they are while it is not known what they are to do. */
function keptJobs(observed: Observed, access: DatabaseAccess, inputs: DatabaseInputs): string[] {
  if (isDecidable(access, inputs)) return [];
  return childrenOf(observed, 'Job', 'database').map((job: KubeObject) => childKey(job));
}
