import { ANNOTATIONS } from '../../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexusStatus } from '../../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keyedDigest } from '../../policies/checksums.ts';
import { childrenOf, findChild, listAt, nameOf, numberAt, textAt } from '../../policies/children.ts';
import { assembleCredentials, hostsWithoutClientKeys } from '../../policies/credentials.ts';
import type { Credentials } from '../../policies/credentials.ts';
import { KEYS, PASSWORD_KEY, planClientKeys, planKeys } from '../../policies/generated-secrets.ts';
import type { Generated, Keys, Random } from '../../policies/generated-secrets.ts';
import { holdDatabase } from '../../policies/held-database.ts';
import type { HeldDatabase } from '../../policies/held-database.ts';
import { releaseLeftClaims } from '../../policies/left-claims.ts';
import { decideLeaving } from '../../policies/leaving-database.ts';
import type { LeavingDecision } from '../../policies/leaving-database.ts';
import { gatedImage } from '../../policies/migration-gate.ts';
import { childKey } from '../../policies/prune.ts';
import { decideVersion } from '../../policies/postgres-version.ts';
import type { VersionDecision } from '../../policies/postgres-version.ts';
import { secretText } from '../../policies/secret.ts';
import { decideStorage, noSmallerThan } from '../../policies/storage.ts';
import type { StorageDecision } from '../../policies/storage.ts';
import { POSTGRES_PORT, dashboardUrl, proxyUrl } from '../../resources/addresses.ts';
import { selectorLabels } from '../../resources/names.ts';
import { postgresClaimName } from '../../resources/postgres.ts';
import { proxyReplicas } from '../../resources/proxy-replicas.ts';
import type { DefaultImages, RenderContext } from '../../resources/render-context.ts';
import { render } from '../../resources/render.ts';
import { restoreJob } from '../../resources/restore.ts';
import { conditionsOf } from './conditions.ts';
import { decideAttempt, decideDatabase } from './decide-database.ts';
import type { DatabaseDecision, JobDecision } from './decide-database.ts';
import type { Action, Observed, Plan } from './plan.ts';

export interface PlanTools {
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly images: DefaultImages;
  /** Page with a section for each alert. */
  readonly runbookUrl: string;
}

/** Everything the policies decided about one look at a resource. */
export interface Decisions {
  readonly keys: Generated<Keys>;
  readonly clientKeys: Generated<ReadonlyMap<string, string>>;
  readonly credentials: Credentials;
  readonly database: DatabaseDecision;
  /** While the wanted database cannot be used and another one is. */
  readonly held: HeldDatabase | undefined;
  readonly storage: StorageDecision | undefined;
  readonly version: VersionDecision | undefined;
  readonly leaving: LeavingDecision;
  /** Undefined when no restore is wanted. */
  readonly restore: JobDecision | undefined;
  readonly images: {
    readonly proxy: string;
    readonly dashboard: string;
    /** Wanted images that wait for the migration. */
    readonly waiting: boolean;
  };
}

/** What is to be done about a resource that was observed. Pure but for the randomness of what it generates. */
export function planChanges(observed: Observed, tools: PlanTools): Plan {
  const { owner } = observed;
  const decisions = decide(observed, tools);
  const conditions = conditionsOf(observed, decisions);
  if (owner.metadata.annotations?.[ANNOTATIONS.paused] === 'true') {
    const { conditions: _, ...status } = owner.status ?? {};
    return { actions: [], desired: [], keep: new Set(), prune: false, conditions, status, events: [] };
  }
  const context = contextOf(observed, decisions, tools);
  const desired = withoutRemoved(render(context), decisions);
  const { keys, clientKeys, database, restore } = decisions;
  const retries = [database.job, ...(restore === undefined ? [] : [restore])].flatMap(({ state }) =>
    state.state === 'failed' && state.retryInMs > 0 ? [state.retryInMs] : [],
  );
  return {
    actions: [
      ...keys.actions,
      ...clientKeys.actions,
      ...database.actions,
      ...storageActions(observed, decisions),
      ...decisions.leaving.actions,
      ...releaseLeftClaims(observed),
      ...(restore?.actions ?? []),
      ...database.job.actions,
    ],
    desired,
    keep: keepOf(observed, decisions),
    prune: true,
    conditions,
    status: statusOf(observed, decisions),
    events: [...keys.events, ...clientKeys.events, ...database.events],
    ...(retries.length === 0 ? {} : { requeueAfterMs: Math.min(...retries) }),
  };
}

function decide(observed: Observed, tools: PlanTools): Decisions {
  const { owner } = observed;
  const keys = planKeys(observed, tools.random);
  const clientKeys = planClientKeys(observed, hostsWithoutClientKeys(owner), tools.random);
  const credentials = assembleCredentials(owner, {
    secrets: observed.secrets,
    generatedKeys: clientKeys.value,
  });
  const wanted = {
    proxy: owner.spec.images?.proxy ?? tools.images.proxy,
    dashboard: owner.spec.images?.dashboard ?? tools.images.dashboard,
  };
  const volumes = decideVolumes(observed);
  const restore = decideRestore(observed, volumes.version, tools);
  const database = decideDatabase(observed, {
    random: tools.random,
    now: tools.now(),
    image: wanted.proxy,
    digestKey: keys.value.hash,
    mayMigrate: restore === undefined || restore.state.state === 'succeeded' || wasMigrated(observed),
  });
  const migrated = database.job.state.state === 'succeeded';
  const imageOf = (service: 'proxy' | 'dashboard') =>
    gatedImage({ wanted: wanted[service], running: runningImage(observed, service), migrated });
  const images = { proxy: imageOf('proxy'), dashboard: imageOf('dashboard') };
  const waiting = images.proxy !== wanted.proxy || images.dashboard !== wanted.dashboard;
  const held = holdDatabase(observed, database.access);
  return {
    keys,
    clientKeys,
    credentials,
    database,
    held,
    ...volumes,
    // One that is held is in use and does not leave.
    leaving: held === undefined ? decideLeaving(observed) : { actions: [], keepsSet: true },
    restore,
    images: { ...images, waiting },
  };
}

function decideVolumes(observed: Observed): Pick<Decisions, 'storage' | 'version'> {
  const { managed } = observed.owner.spec.database;
  if (managed === undefined) return { storage: undefined, version: undefined };
  const set = findChild(observed, 'StatefulSet', nameOf(observed, 'postgres'));
  const name = postgresClaimName(observed.owner.metadata.name);
  const claims = childrenOf(observed, 'PersistentVolumeClaim', 'postgres').filter(
    (claim) => claim.metadata.name === name,
  );
  const version = decideVersion(managed.version, set, claims);
  const storage = decideStorage({
    wanted: managed.storage.size,
    version: version.version,
    set,
    claims,
    expandable: observed.expandable,
  });
  return { storage, version };
}

function decideRestore(
  observed: Observed,
  version: VersionDecision | undefined,
  tools: PlanTools,
): JobDecision | undefined {
  const job = restoreJob({
    owner: observed.owner,
    images: tools.images,
    postgresVersion: version?.version ?? 0,
    postgresPassword: postgresPassword(observed),
    restoreAttempt: 0,
  });
  return job === undefined ? undefined : decideAttempt(observed, job.metadata.name, tools.now());
}

/** The database is in use already: a restore that is asked for now has nothing to fill. */
function wasMigrated(observed: Observed): boolean {
  return childrenOf(observed, 'Job', 'database').length > 0;
}

function postgresPassword(observed: Observed): RenderContext['postgresPassword'] {
  return { secret: nameOf(observed, 'postgres-password'), key: PASSWORD_KEY };
}

function runningImage(observed: Observed, service: 'proxy' | 'dashboard'): string | undefined {
  const deployment = findChild(observed, 'Deployment', nameOf(observed, service));
  return textAt(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image');
}

function contextOf(observed: Observed, decisions: Decisions, tools: PlanTools): RenderContext {
  const { owner, has } = observed;
  const { keys, database, held, images, storage, version, restore } = decisions;
  const { access } = database;
  const own = owner.spec.dashboard.keySecretRef;
  return {
    owner,
    images: tools.images,
    runbookUrl: tools.runbookUrl,
    proxyImage: images.proxy,
    dashboardImage: images.dashboard,
    proxyDatabaseUrl: held?.proxyUrl ?? { secret: access.secret, key: access.urlKeys.proxy },
    dashboardDatabaseUrl: held?.dashboardUrl ?? { secret: access.secret, key: access.urlKeys.dashboard },
    dashboardKey:
      own === undefined ? { secret: keys.name, key: KEYS.dashboard } : { secret: own.name, key: own.key },
    accountHashKey: { secret: keys.name, key: KEYS.hash },
    domainSecrets: decisions.credentials.domainSecrets,
    checksums: checksumsOf(observed, decisions),
    databaseSecret: access.texts,
    databaseJob: database.jobInput,
    restoreAttempt: restore?.attempt ?? 0,
    databasePorts: portsOf(access.mode === 'external' ? Object.values(access.urls) : []),
    proxyReplicas: proxyReplicas(owner, findChild(observed, 'Deployment', nameOf(observed, 'proxy'))),
    postgresPassword: postgresPassword(observed),
    postgresVersion: version?.version ?? 0,
    postgresStorage: storage?.templateSize ?? '',
    backupStorage: backupStorage(observed),
    has,
  };
}

function backupStorage(observed: Observed): string {
  const size = observed.owner.spec.database.managed?.backup?.storage.size;
  const claim = findChild(observed, 'PersistentVolumeClaim', nameOf(observed, 'backup'));
  return size === undefined ? '' : noSmallerThan(claim, size);
}

/** What each process reads at start; a value that cannot be read now leaves the pods as they are. */
function checksumsOf(observed: Observed, { keys, database, held }: Decisions): RenderContext['checksums'] {
  const { hash } = keys.value;
  const own = observed.owner.spec.dashboard.keySecretRef;
  const dashboardKey =
    own === undefined ? keys.value.dashboard : secretText(observed.secrets.get(own.name), own.key);
  const digest = (service: 'proxy' | 'dashboard', texts: readonly (string | undefined)[]): string => {
    const known = texts.filter((text) => text !== undefined);
    const isKnown = held === undefined && known.length === texts.length;
    return isKnown ? keyedDigest(hash, known) : presentChecksum(observed, service);
  };
  return {
    proxy: digest('proxy', [database.access.urls.proxy, hash]),
    dashboard: digest('dashboard', [database.access.urls.dashboard, dashboardKey]),
  };
}

function presentChecksum(observed: Observed, service: 'proxy' | 'dashboard'): string {
  const deployment = findChild(observed, 'Deployment', nameOf(observed, service));
  const path = ['spec', 'template', 'metadata', 'annotations', ANNOTATIONS.checksum] as const;
  return textAt(deployment, ...path) ?? '';
}

function portsOf(urls: readonly (string | undefined)[]): number[] {
  const ports = urls.map((url) => Number(URL.parse(url ?? '')?.port ?? '') || POSTGRES_PORT);
  return [...new Set(ports.length === 0 ? [POSTGRES_PORT] : ports)].toSorted((a, b) => a - b);
}

/** A set that is being deleted to be made anew cannot be applied in between; what is frozen is not to be. */
function withoutRemoved(objects: readonly KubeObject[], { storage, held }: Decisions): KubeObject[] {
  const removed = storage?.step === 'orphan-set' || storage?.step === 'removing';
  return objects.filter(
    (object) => !(removed && object.kind === 'StatefulSet') && held?.frozen.has(childKey(object)) !== true,
  );
}

function storageActions(observed: Observed, { storage }: Decisions): Action[] {
  if (storage === undefined) return [];
  const size = observed.owner.spec.database.managed?.storage.size ?? '';
  const set = findChild(observed, 'StatefulSet', nameOf(observed, 'postgres'));
  if (storage.step === 'orphan-set' && set !== undefined) return [{ type: 'orphan-set', set }];
  return storage.claims.map((name) => ({ type: 'expand-claim', name, size }) as const);
}

function generatedOf({ keys, clientKeys, database }: Decisions): string[] {
  const withClientKeys = clientKeys.value.size > 0 ? [clientKeys.name] : [];
  return [keys.name, ...withClientKeys, ...database.generated].toSorted();
}

/** Those that were seen to be there. One that is only planned may yet turn out to be somebody else's. */
function madeOf({ owner, secrets }: Observed, decisions: Decisions): string[] {
  const told = owner.status?.generatedSecrets ?? [];
  return generatedOf(decisions).filter((name) => secrets.has(name) || told.includes(name));
}

function keepOf(observed: Observed, decisions: Decisions): ReadonlySet<string> {
  const set = `StatefulSet/${nameOf(observed, 'postgres')}`;
  return new Set([
    ...generatedOf(decisions).map((name) => `Secret/${name}`),
    `Secret/${decisions.keys.name}`,
    ...decisions.database.keep,
    // Its data goes with it: only the end of the resource may end it, never a change of the database.
    `Cluster/${nameOf(observed, 'postgres')}`,
    ...(decisions.held?.keep ?? []),
    ...(decisions.storage === undefined && !decisions.leaving.keepsSet ? [] : [set]),
  ]);
}

function statusOf(observed: Observed, decisions: Decisions): Plan['status'] {
  const { owner } = observed;
  const proxy = findChild(observed, 'Deployment', nameOf(observed, 'proxy'));
  const images = {
    proxy: runningImage(observed, 'proxy'),
    dashboard: runningImage(observed, 'dashboard'),
  };
  const selector = Object.entries(selectorLabels(owner, 'proxy'))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const rotations = rotationsOf(owner.status, decisions);
  return {
    observedGeneration: owner.metadata.generation ?? 0,
    replicas: numberAt(proxy, 'status', 'replicas') ?? 0,
    selector,
    url: balanced(observed, 'proxy', proxyUrl(owner)),
    dashboardUrl: balanced(observed, 'dashboard', dashboardUrl(owner)),
    ...(images.proxy === undefined || images.dashboard === undefined
      ? {}
      : { images: { proxy: images.proxy, dashboard: images.dashboard } }),
    generatedSecrets: madeOf(observed, decisions),
    ...(rotations === undefined ? {} : { rotations }),
  };
}

/** The address of a load balancer in place of the Service's name, which only pods can look up. */
function balanced(observed: Observed, service: 'proxy' | 'dashboard', url: string): string {
  const name = nameOf(observed, service);
  const [entry] = listAt(findChild(observed, 'Service', name), 'status', 'loadBalancer', 'ingress');
  const address = textAt(entry, 'hostname') ?? textAt(entry, 'ip');
  const host = `${name}.${observed.owner.metadata.namespace}.svc`;
  return address === undefined ? url : url.replace(host, address);
}

function rotationsOf(
  status: ClaudeNexusStatus | undefined,
  { keys, database }: Decisions,
): ClaudeNexusStatus['rotations'] {
  const { logins } = database;
  const handled = logins?.phase === 'steady' ? logins.rotation : status?.rotations?.logins;
  const dashboardKey = keys.value.rotated;
  if (handled === undefined && dashboardKey === undefined) return undefined;
  return {
    ...(handled === undefined ? {} : { logins: handled }),
    ...(dashboardKey === undefined ? {} : { dashboardKey }),
  };
}
