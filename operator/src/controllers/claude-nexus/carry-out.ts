import type { Logger } from '@claude-nexus/runtime';

import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { ApiClient } from '../../kube/api-client.ts';
import type { Applier } from '../../kube/applier.ts';
import type { Cache } from '../../kube/cache.ts';
import { ApiError, isConflict, isNotFound, NameTakenError, StaleCacheError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { prunable } from '../../policies/prune.ts';
import { FIELD_MANAGER } from '../../resources/names.ts';
import { kindOf } from './owned-kinds.ts';
import type { Action, Observed, Plan } from './plan.ts';
import type { Outcome } from './settle-conditions.ts';

export interface CarryOutTools {
  readonly client: ApiClient;
  readonly cache: Cache;
  readonly applier: Applier;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly log: Logger;
}

/** The API server will not take this object as it is: trying at once again would change nothing. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 413, 422]);

/**
 * Carries a plan out: actions, applies, prune. A child that is refused does not keep the others from being made.
 *
 * @returns what happened to single children
 * @throws {ApiError} what may pass by itself, and an action that lost a race: the reconcile starts over
 */
export async function carryOut(observed: Observed, plan: Plan, tools: CarryOutTools): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const action of plan.actions) {
    const refused = await act(observed.owner, action, tools);
    if (refused !== undefined) outcomes.push(refused);
    // What follows would be made with values that are stored nowhere.
    if (refused !== undefined && action.type === 'create') return outcomes;
  }
  for (const object of plan.desired) {
    const outcome = await applyOne(observed.owner, object, tools);
    if (outcome !== undefined) outcomes.push(outcome);
  }
  if (plan.prune && tools.cache.hasSynced()) outcomes.push(...(await prune(observed, plan, tools)));
  return outcomes;
}

async function act(
  owner: ClaudeNexus,
  action: Action,
  { client, applier, events }: CarryOutTools,
): Promise<Outcome | undefined> {
  const { namespace } = owner.metadata;
  switch (action.type) {
    case 'create':
      try {
        await client.create(action.kind, action.object, { fieldManager: FIELD_MANAGER });
      } catch (error) {
        if (!isConflict(error)) throw error;
        return nameTaken(action.object, client, error);
      }
      events.record(owner, created(action.object));
      return undefined;
    case 'update-secret':
      await replaceSecret(action.object, client);
      return undefined;
    case 'expand-claim':
      return expand({ namespace, name: action.name }, action.size, client);
    case 'retain-claims': {
      const change = { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } } };
      const ref = { namespace, name: action.set.metadata.name };
      await client.patch(KINDS.StatefulSet, ref, change, { fieldManager: FIELD_MANAGER });
      return undefined;
    }
    case 'release-claim':
      await release(owner, action.claim, client);
      return undefined;
    case 'orphan-set':
      await applier.remove(KINDS.StatefulSet, action.set, { propagationPolicy: 'Orphan' });
      return undefined;
    case 'delete':
      await applier.remove(action.kind, action.object);
      return undefined;
    default:
      return action satisfies never;
  }
}

async function replaceSecret(secret: KubeObject, client: ApiClient): Promise<void> {
  try {
    await client.replace(KINDS.Secret, secret, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new StaleCacheError(`Secret ${secret.metadata.name} went while it was looked at`, { cause: error });
  }
}

/** A Secret of that name appeared since it was looked for, or is somebody else's. */
async function nameTaken(object: KubeObject, client: ApiClient, cause: unknown): Promise<Outcome> {
  const { namespace = '', name, labels } = object.metadata;
  const live = await client.get(KINDS.Secret, { namespace, name });
  const isOurs = Object.entries(labels ?? {}).every(([key, value]) => live.metadata.labels?.[key] === value);
  if (isOurs) throw cause;
  const message = new NameTakenError(object.kind, name).message;
  return { type: 'refused', child: object, reason: 'NameTaken', message };
}

/** Guarded by the version that was seen, for the list is replaced as a whole. */
async function release(owner: ClaudeNexus, claim: KubeObject, client: ApiClient): Promise<void> {
  const { namespace = '', name, resourceVersion, ownerReferences = [] } = claim.metadata;
  const others = ownerReferences.filter(({ uid }) => uid !== owner.metadata.uid);
  const change = { metadata: { resourceVersion, ownerReferences: others } };
  await client.patch(KINDS.PersistentVolumeClaim, { namespace, name }, change, {
    fieldManager: FIELD_MANAGER,
  });
}

async function expand(
  ref: { namespace: string; name: string },
  size: string,
  client: ApiClient,
): Promise<Outcome | undefined> {
  const change = { spec: { resources: { requests: { storage: size } } } };
  try {
    await client.patch(KINDS.PersistentVolumeClaim, ref, change, { fieldManager: FIELD_MANAGER });
    return undefined;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const child: KubeObject = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...ref, labels: { 'app.kubernetes.io/component': 'postgres' } },
    };
    const message = `PersistentVolumeClaim ${ref.name} cannot grow: ${error.message}`.slice(0, 500);
    return { type: 'refused', child, reason: 'StorageExpansionUnsupported', message };
  }
}

async function applyOne(
  owner: ClaudeNexus,
  object: KubeObject,
  { applier, events, log }: CarryOutTools,
): Promise<Outcome | undefined> {
  const kind = kindOf(object);
  const { namespace = '', name } = object.metadata;
  try {
    const result = await applier.apply(kind, object, owner.metadata.uid);
    if (result === 'created') events.record(owner, created(object));
    const changed = result !== 'unchanged' || applier.isAhead(kind, { namespace, name });
    return changed ? { type: 'ahead', child: object } : undefined;
  } catch (error) {
    if (error instanceof NameTakenError) {
      return { type: 'refused', child: object, reason: 'NameTaken', message: error.message };
    }
    return refusedBy(error, object, log);
  }
}

/** @throws the error when it may pass by itself */
function refusedBy(error: unknown, child: KubeObject, log: Logger): Outcome {
  if (!isRefusal(error) || isTerminating(error)) throw error;
  const { kind, metadata } = child;
  const { namespace, name } = metadata;
  log.warn({ err: error, kind, namespace, name }, 'the API server refused a child');
  return { type: 'refused', child, reason: 'ApplyRefused', message: refusal(child, error) };
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && REFUSALS.has(error.status);
}

/** The namespace is going: nothing can be made in it any more, and nothing needs to be. */
export function isTerminating(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403 && error.causes.includes('NamespaceTerminating');
}

/** Of a Secret only the status: the server may quote a value it does not like. */
function refusal(object: KubeObject, error: ApiError): string {
  const why = object.kind === 'Secret' ? `${error.status} ${error.reason}` : error.message;
  return `${object.kind} ${object.metadata.name} was refused: ${why}`.slice(0, 500);
}

/** @returns the children the API server did not let go */
async function prune(observed: Observed, plan: Plan, tools: CarryOutTools): Promise<Outcome[]> {
  const { owner, children } = observed;
  const outcomes: Outcome[] = [];
  const isOwned = (live: KubeObject) =>
    (live.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid);
  for (const child of prunable({ owner, children, desired: plan.desired, keep: plan.keep })) {
    try {
      await tools.applier.remove(kindOf(child), child, { confirm: isOwned });
    } catch (error) {
      outcomes.push(refusedBy(error, child, tools.log));
    }
  }
  return outcomes;
}

function created(object: KubeObject) {
  return {
    type: 'Normal',
    reason: 'Created',
    note: `Created ${object.kind} ${object.metadata.name}`,
  } as const;
}
