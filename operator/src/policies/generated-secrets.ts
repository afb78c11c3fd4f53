import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { Action, Observed, Plan } from '../controllers/claude-nexus/plan.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import type { Component } from '../resources/names.ts';
import { childrenOf, nameOf } from './children.ts';
import { child } from '../resources/child.ts';
import { secretData, secretKeys, secretText } from './secret.ts';

const KEY_BYTES = 32;

/** Keys of the Secret `NAME-keys`. */
export const KEYS = { dashboard: 'dashboard-api-key', hash: 'account-hash-key' } as const;
export const PASSWORD_KEY = 'password';

type PlanEvent = Plan['events'][number];
export type Random = (bytes: number) => Buffer;

/** What became of one generated Secret: its content as it is after `actions`. */
export interface Generated<T> {
  readonly name: string;
  readonly value: T;
  readonly actions: readonly Action[];
  readonly events: readonly PlanEvent[];
}

/** A random text that needs no quoting in a URL, a header or a shell. */
export function randomText(random: Random): string {
  return random(KEY_BYTES).toString('base64url');
}

/** True when the Secret once existed: making it anew is worth a warning. */
function isLost(observed: Observed, name: string): boolean {
  return (observed.owner.status?.generatedSecrets ?? []).includes(name) && !observed.secrets.has(name);
}

export function lostEvents(observed: Observed, name: string, consequence: string): PlanEvent[] {
  if (!isLost(observed, name)) return [];
  const note = `Secret ${name} was gone and is made anew: ${consequence}`;
  return [{ type: 'Warning', reason: 'GeneratedSecretLost', note }];
}

export interface Keys {
  readonly dashboard: string;
  readonly hash: string;
  /** Value of the rotation annotation this key belongs to. */
  readonly rotated: string | undefined;
}

/** The dashboard key and the hash key; a new value of the rotation annotation gives a new dashboard key. */
export function planKeys(observed: Observed, random: Random): Generated<Keys> {
  const { owner } = observed;
  const name = nameOf(observed, 'keys');
  const wanted = owner.metadata.annotations?.[ANNOTATIONS.rotateDashboardKey];
  const secret = observed.secrets.get(name);
  const stored = secret?.metadata.annotations?.[ANNOTATIONS.rotated];
  const rotate = secret !== undefined && wanted !== undefined && wanted !== stored;
  const dashboard = rotate ? undefined : secretText(secret, KEYS.dashboard);
  const value: Keys = {
    dashboard: dashboard ?? randomText(random),
    hash: secretText(secret, KEYS.hash) ?? randomText(random),
    rotated: wanted ?? stored,
  };
  const texts = { [KEYS.dashboard]: value.dashboard, [KEYS.hash]: value.hash };
  const annotations = value.rotated === undefined ? {} : { [ANNOTATIONS.rotated]: value.rotated };
  if (secret === undefined) {
    const events = lostEvents(observed, name, 'the old dashboard key does not work any more');
    const object = ownSecret(owner, { name, texts, annotations });
    return { name, value, actions: [create(object)], events };
  }
  const complete = dashboard !== undefined && secretText(secret, KEYS.hash) !== undefined;
  const events: PlanEvent[] = rotate
    ? [{ type: 'Normal', reason: 'RotationDone', note: `The dashboard key in Secret ${name} is new` }]
    : [];
  const actions = complete ? reclaim(owner, secret) : [update(secret, texts, annotations)];
  return { name, value, actions, events };
}

/** One client key per host that brings none; keys of hosts that are gone go with them. */
export function planClientKeys(
  observed: Observed,
  hosts: readonly string[],
  random: Random,
): Generated<ReadonlyMap<string, string>> {
  const name = nameOf(observed, 'client-keys');
  const secret = observed.secrets.get(name);
  const value = new Map(hosts.map((host) => [host, secretText(secret, host) ?? randomText(random)] as const));
  if (hosts.length === 0) return { name, value, actions: [], events: [] };
  const texts = Object.fromEntries(value);
  if (secret === undefined) {
    const events = lostEvents(observed, name, 'clients need their new keys');
    const object = ownSecret(observed.owner, { name, texts });
    return { name, value, actions: [create(object)], events };
  }
  const same =
    secretKeys(secret).length === hosts.length &&
    hosts.every((host) => secretText(secret, host) !== undefined);
  const actions = same ? reclaim(observed.owner, secret) : [update(secret, texts, {})];
  return { name, value, actions, events: [] };
}

/**
 * Password of the managed PostgreSQL's superuser; undefined when it is lost while the data is still there: any other
 * value would not open it. The Secret outlives the resource when the data does.
 */
export function planPostgresPassword(
  observed: Observed,
  deletionPolicy: 'Retain' | 'Delete',
  random: Random,
): Generated<string | undefined> {
  const { owner } = observed;
  const name = nameOf(observed, 'postgres-password');
  const secret = observed.secrets.get(name);
  const stored = secretText(secret, PASSWORD_KEY);
  const owned = deletionPolicy === 'Delete';
  if (secret !== undefined && stored !== undefined) {
    const object = withOwner(secret, owner, owned);
    return {
      name,
      value: stored,
      actions: object === undefined ? [] : [{ type: 'update-secret', object }],
      events: [],
    };
  }
  const dataExists = childrenOf(observed, 'PersistentVolumeClaim', 'postgres').length > 0;
  if (dataExists || secret !== undefined) return { name, value: undefined, actions: [], events: [] };
  const value = randomText(random);
  const texts = { [PASSWORD_KEY]: value };
  const object = ownSecret(owner, { name, component: 'postgres', texts, owned });
  return { name, value, actions: [create(object)], events: [] };
}

/** Gives a Secret whose owner was taken away, or was another resource of the name, back to its owner. */
export function reclaim(owner: ClaudeNexus, secret: KubeObject): Action[] {
  const object = withOwner(secret, owner, true);
  return object === undefined ? [] : [{ type: 'update-secret', object }];
}

function withOwner(secret: KubeObject, owner: ClaudeNexus, owned: boolean): KubeObject | undefined {
  const others = (secret.metadata.ownerReferences ?? []).filter(
    (reference) => reference.kind !== owner.kind || reference.apiVersion !== owner.apiVersion,
  );
  const ours = (secret.metadata.ownerReferences ?? []).filter(
    (reference) => reference.uid === owner.metadata.uid,
  );
  if (ours.length > 0 === owned && others.length + ours.length === ownersOf(secret)) return undefined;
  const ownerReferences = owned ? [...others, ...ownersOfNew(owner)] : others;
  return { ...secret, metadata: { ...secret.metadata, ownerReferences } };
}

function ownersOf(secret: KubeObject): number {
  return (secret.metadata.ownerReferences ?? []).length;
}

function ownersOfNew(owner: ClaudeNexus): readonly OwnerReference[] {
  return ownSecret(owner, { name: '', texts: {} }).metadata.ownerReferences ?? [];
}

interface OwnSecret {
  readonly name: string;
  readonly component?: Component;
  readonly texts: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** False: outlives the resource, as the data it opens does. */
  readonly owned?: boolean;
}

/** A generated Secret as it is created. */
export function ownSecret(owner: ClaudeNexus, secret: OwnSecret): KubeObject {
  const { name, component = 'credentials', texts, annotations, owned = true } = secret;
  return child(
    { owner, kind: KINDS.Secret, component, name, annotations, owned },
    { type: 'Opaque', data: secretData(texts) },
  );
}

export function create(object: KubeObject): Action {
  return { type: 'create', kind: KINDS.Secret, object };
}

/** Replaces the content of a Secret of ours; what others put on its metadata stays. */
export function update(
  secret: KubeObject,
  texts: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): Action {
  const metadata = {
    ...secret.metadata,
    annotations: { ...secret.metadata.annotations, ...annotations },
  };
  return { type: 'update-secret', object: { ...secret, metadata, data: secretData(texts) } };
}
