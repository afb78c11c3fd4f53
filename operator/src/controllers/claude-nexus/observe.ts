import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { ApiClient } from '../../kube/api-client.ts';
import type { Cache } from '../../kube/cache.ts';
import { isNotFound } from '../../kube/errors.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { Kind } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { wasWrittenBy } from '../../kube/ownership.ts';
import { at } from '../../policies/children.ts';
import { LOGIN_STATE_KEY, parseLogins } from '../../policies/logins.ts';
import { secretText } from '../../policies/secret.ts';
import { FIELD_MANAGER, MANAGED_SELECTOR, childName } from '../../resources/names.ts';
import { domainSecretName, secretNames } from '../../resources/secrets.ts';
import { OPTIONAL_KINDS, OWNED_KINDS } from './owned-kinds.ts';
import type { Observed } from './plan.ts';
import { referencedSecrets } from './secret-references.ts';

export interface ObserveTools {
  readonly client: ApiClient;
  readonly cache: Cache;
  /** Whether an optional kind is served and synced. */
  readonly has: (kind: Kind) => boolean;
  /** Storage classes may be read. */
  readonly clusterScope: boolean;
}

/** Gathers what concerns one resource: children from the cache, contents of Secrets from the server. */
export async function observe(owner: ClaudeNexus, tools: ObserveTools): Promise<Observed> {
  const { cache, has, clusterScope } = tools;
  const { namespace, name } = owner.metadata;
  const kinds = [...OWNED_KINDS, KINDS.Secret, ...OPTIONAL_KINDS.filter((kind) => has(kind))];
  const children = kinds
    .flatMap((kind) => cache.list(kind, { namespace, instance: name }))
    .filter((child) => isLabelled(child, owner));
  const secrets = await readSecrets(owner, children, tools);
  const { client } = tools;
  const withProxy = await withLiveProxy(owner, children, client);
  const withPods = await withLivePods(owner, withProxy, { client, secrets });
  return {
    owner,
    children: await withLiveClaims(owner, withPods, client),
    secrets,
    has: { prometheusOperator: has(KINDS.ServiceMonitor), cloudNativePG: has(KINDS.Cluster) },
    expandable: clusterScope ? expandableClasses(cache) : undefined,
  };
}

function isLabelled(object: KubeObject, owner: ClaudeNexus): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    labels['app.kubernetes.io/managed-by'] === FIELD_MANAGER &&
    labels['app.kubernetes.io/instance'] === owner.metadata.name
  );
}

async function readSecrets(
  owner: ClaudeNexus,
  children: readonly KubeObject[],
  { client }: ObserveTools,
): Promise<ReadonlyMap<string, KubeObject>> {
  const names = secretNames(owner);
  const { keys, clientKeys, logins, postgresPassword } = names;
  const generated = new Set([keys, clientKeys, logins, postgresPassword]);
  const told = new Set(owner.status?.generatedSecrets ?? []);
  const hasData = children.some((child) => child.kind === 'PersistentVolumeClaim');
  const isOurs = (secret: KubeObject, name: string): boolean =>
    isLabelled(secret, owner) ||
    // The password of data that is there may have been put back by hand.
    (hasData && name === postgresPassword) ||
    // Somebody took the labels away.
    (told.has(name) && wasWrittenBy(secret, FIELD_MANAGER));
  const wanted = new Set([
    ...generated,
    names.database,
    ...(owner.spec.domains ?? []).map(({ host }) => domainSecretName(owner, host)),
    ...referencedSecrets(owner),
  ]);
  const found = await Promise.all(
    [...wanted].map((name) => find(client, KINDS.Secret, { namespace: owner.metadata.namespace, name })),
  );
  return new Map(
    found.flatMap((secret) => {
      const name = secret?.metadata.name ?? '';
      // Somebody else's Secret of that name is none of ours: creating ours will then say so.
      if (secret === undefined || (generated.has(name) && !isOurs(secret, name))) return [];
      return [[name, secret] as const];
    }),
  );
}

/** With an autoscaler the number of replicas and who set it are read at the source: the cache has neither in time. */
async function withLiveProxy(
  owner: ClaudeNexus,
  children: readonly KubeObject[],
  client: ApiClient,
): Promise<readonly KubeObject[]> {
  if (owner.spec.autoscaling === undefined) return children;
  const { namespace } = owner.metadata;
  const name = childName(owner.metadata.name, 'proxy');
  const isProxy = (child: KubeObject) => child.kind === 'Deployment' && child.metadata.name === name;
  const live = await find(client, KINDS.Deployment, { namespace, name });
  const others = children.filter((child) => !isProxy(child));
  return live !== undefined && isLabelled(live, owner) ? [...others, live] : others;
}

/** Before a login is disabled, its users are looked for at the source: the cache may not know of the newest pod yet. */
async function withLivePods(
  owner: ClaudeNexus,
  children: readonly KubeObject[],
  { client, secrets }: { readonly client: ApiClient; readonly secrets: ReadonlyMap<string, KubeObject> },
): Promise<readonly KubeObject[]> {
  const stored = secretText(secrets.get(secretNames(owner).logins), LOGIN_STATE_KEY);
  if (parseLogins(stored)?.phase !== 'switching') return children;
  const { namespace, name } = owner.metadata;
  const labelSelector = `${MANAGED_SELECTOR},app.kubernetes.io/instance=${name}`;
  const { items } = await client.list(KINDS.Pod, { namespace, labelSelector });
  const pods = items.map((pod) => ({ ...pod, apiVersion: KINDS.Pod.apiVersion, kind: KINDS.Pod.kind }));
  return [...children.filter(({ kind }) => kind !== 'Pod'), ...pods];
}

const isClaim = ({ kind }: KubeObject): boolean => kind === 'PersistentVolumeClaim';

/** Before a set is deleted, whose its claims are is looked up at the source: what belongs to it would go with it. */
async function withLiveClaims(
  owner: ClaudeNexus,
  children: readonly KubeObject[],
  client: ApiClient,
): Promise<readonly KubeObject[]> {
  const { namespace, name } = owner.metadata;
  const isSet = ({ kind, metadata }: KubeObject) =>
    kind === 'StatefulSet' && metadata.name === childName(name, 'postgres');
  if (owner.spec.database.managed !== undefined || !children.some((child) => isSet(child))) return children;
  const live = await Promise.all(
    children
      .filter((child) => isClaim(child))
      .map((claim) => find(client, KINDS.PersistentVolumeClaim, { namespace, name: claim.metadata.name })),
  );
  return [...children.filter((child) => !isClaim(child)), ...live.filter((claim) => claim !== undefined)];
}

async function find(
  client: ApiClient,
  kind: Kind,
  ref: { namespace: string; name: string },
): Promise<KubeObject | undefined> {
  try {
    return await client.get(kind, ref);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function expandableClasses(cache: Cache): ReadonlyMap<string, boolean> {
  return new Map(
    cache
      .list(KINDS.StorageClass, {})
      .map((storage) => [storage.metadata.name, at(storage, 'allowVolumeExpansion') === true]),
  );
}
