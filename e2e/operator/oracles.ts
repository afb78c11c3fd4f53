import { OPTIONAL_KINDS, OWNED_KINDS } from '../../operator/src/controllers/claude-nexus/owned-kinds.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { canonical, canonicalName } from './canonical.ts';
import { condition, isCurrent, quietWindow, resourcePath } from './resource.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { Api, TestObject } from '../fixtures/control-plane/api.ts';
import type { AuditEntry, Cluster } from '../fixtures/control-plane/cluster.ts';
import type { LogLine, OperatorProcess } from './operator-process.ts';
import type { ResourceRef } from './resource.ts';

/** Kinds the operator makes, pods left out: their names are random and their Deployments tell of them. */
const KINDS_OF_CHILDREN: readonly Kind[] = [
  ...OWNED_KINDS.filter((kind) => kind !== KINDS.Pod),
  KINDS.Secret,
  ...OPTIONAL_KINDS,
];

/** Where objects of a kind are. */
export function kindPath({ apiVersion, plural }: Kind, namespace: string): string {
  const root = apiVersion.includes('/') ? '/apis' : '/api';
  return `${root}/${apiVersion}/namespaces/${namespace}/${plural}`;
}

/** Everything that carries the labels of a resource's children, as it is in the cluster; kinds that are not served have none. */
export async function childrenOf(api: Api, { namespace, name }: ResourceRef): Promise<TestObject[]> {
  const selector = `app.kubernetes.io/managed-by=claude-nexus-operator,app.kubernetes.io/instance=${name}`;
  const lists = await Promise.all(
    KINDS_OF_CHILDREN.map(async (kind) => {
      const path = `${kindPath(kind, namespace)}?labelSelector=${encodeURIComponent(selector)}`;
      const answer = await api.request('GET', path);
      const items = (at(answer.body, 'items') ?? []) as readonly TestObject[];
      return items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }));
    }),
  );
  return lists.flat();
}

/** The children in a form that is the same for every install of the same spec under the same name: `Kind/name` to object. */
export async function stateOf(api: Api, ref: ResourceRef): Promise<Readonly<Record<string, unknown>>> {
  const children = await childrenOf(api, ref);
  const scaled = children.some(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const entries = children.map((child) => canonical(child, { namespace: ref.namespace, scaled }));
  const seen = new Map<string, number>();
  const named = entries.map(([key, value]) => {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return [count === 1 ? key : `${key} (${count})`, value] as const;
  });
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * O1 and O4: the state without what holds data and was left on purpose, to be compared with that of a fresh install.
 * @param fresh state of a fresh install of the same spec
 */
export function withoutRetained(
  state: Readonly<Record<string, unknown>>,
  fresh: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const isRetained = ([key, object]: readonly [string, unknown]) =>
    !(key in fresh) &&
    at(object, 'metadata.ownerReferences') === undefined &&
    /^(PersistentVolumeClaim\/|Cluster\/|Secret\/.*-postgres-password$)/.test(key);
  return Object.fromEntries(Object.entries(state).filter((entry) => !isRetained(entry)));
}

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** What the operator changed in a namespace since a mark of the audit log; its Lease does not count. */
export async function writesSince(
  cluster: Cluster,
  mark: number,
  { namespace, user = 'operator' }: { readonly namespace?: string; readonly user?: string } = {},
): Promise<AuditEntry[]> {
  const entries = await cluster.auditOf(user, mark);
  return entries.filter(
    (entry) =>
      WRITES.has(entry.verb) &&
      entry.resource !== 'leases' &&
      (namespace === undefined || entry.namespace === namespace),
  );
}

/** One line per write, for a message that says what was not at rest. */
const inWords = ({ verb, resource, subresource, name, code }: AuditEntry): string =>
  `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${name} -> ${code}`;

/** Looks at the rest in a row: on a busy machine a write may come late, but a loop of them never ends. */
const MAX_LOOKS = 3;

/**
 * O2: waits until the operator has come to rest in a namespace, then looks for two more seconds.
 * @returns the writes of those seconds, in words; empty when it is at rest
 */
export async function writesAtRest(cluster: Cluster, namespace: string): Promise<string[]> {
  let writes: AuditEntry[] = [];
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    await untilStill(cluster, namespace);
    const mark = await cluster.auditMark();
    await quietWindow();
    writes = await writesSince(cluster, mark, { namespace });
    if (writes.length === 0) break;
  }
  return writes.map((entry) => inWords(entry));
}

async function untilStill(cluster: Cluster, namespace: string): Promise<void> {
  let mark = await cluster.auditMark();
  let stirred = Date.now();
  await until('the operator to come to rest', async () => {
    const writes = await writesSince(cluster, mark, { namespace });
    if (writes.length > 0) {
      stirred = Date.now();
      mark = await cluster.auditMark();
    }
    return Date.now() - stirred > 500 ? true : undefined;
  });
}

/**
 * O3: how often each object was created and deleted, such as `create deployments/x-proxy: 1`.
 * An apply counts when it created the object.
 */
export async function creationsAndDeletions(
  cluster: Cluster,
  mark: number,
  namespace: string,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { verb, resource, subresource, name, code } of await writesSince(cluster, mark, { namespace })) {
    const isCreation = (verb === 'create' || verb === 'patch') && code === 201;
    const isDeletion = verb === 'delete' && code < 300;
    if ((!isCreation && !isDeletion) || subresource !== '' || resource === 'events') continue;
    const key = `${isCreation ? 'create' : 'delete'} ${resource}/${canonicalName(name)}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** O5: what the resource says of itself, and what its children show. Both are the same when it is truthful. */
export async function readiness(
  api: Api,
  ref: ResourceRef,
): Promise<{ readonly told: boolean; readonly shown: boolean }> {
  const resource = await api.get(resourcePath(ref));
  const told = isCurrent(resource) && condition(resource, 'Ready')?.status === 'True';
  const children = await childrenOf(api, ref);
  return { told, shown: children.every((child) => isWell(child)) };
}

function isWell(child: TestObject): boolean {
  const status = (field: string) => at(child, `status.${field}`) ?? 0;
  switch (child.kind) {
    case 'Deployment':
    case 'StatefulSet': {
      const wanted = at(child, 'spec.replicas') ?? 1;
      const isSeen = Number(status('observedGeneration')) >= (child.metadata.generation ?? 0);
      return (
        isSeen && ['replicas', 'readyReplicas', 'updatedReplicas'].every((field) => status(field) === wanted)
      );
    }
    case 'Job':
      return status('succeeded') === 1;
    default:
      return true;
  }
}

/** O6: what the operator printed that it should not have. @param expected lines a fault of the test explains */
export function complaints(operator: OperatorProcess, expected: readonly RegExp[] = []): string[] {
  const lines = operator.output.split('\n').slice(0, -1);
  return lines.filter((line) => isComplaint(line) && !expected.some((pattern) => pattern.test(line)));
}

/** Errors, and whatever is no line of the log: Node.js says so when a promise is not handled. */
function isComplaint(line: string): boolean {
  if (!line.startsWith('{')) return line !== '';
  const { level } = JSON.parse(line) as LogLine;
  return level === 'error' || level === 'fatal';
}
