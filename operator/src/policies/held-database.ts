import type { Observed } from '../controllers/claude-nexus/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { componentOf, findChild, listAt, nameOf, textAt } from './children.ts';
import type { DatabaseAccess } from './database-access.ts';
import { childKey } from './prune.ts';

interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

/** What stays as it is while the database that is asked for cannot be used. */
export interface HeldDatabase {
  /** Where the pods of each service have their address from now. */
  readonly proxyUrl: SecretKey;
  readonly dashboardUrl: SecretKey;
  /** `Kind/name` of children that are neither pruned nor, those of `frozen`, applied. */
  readonly keep: readonly string[];
  readonly frozen: ReadonlySet<string>;
}

const OF_THE_DATABASE: ReadonlySet<string | undefined> = new Set([
  'postgres',
  'database',
  'backup',
  'restore',
]);

/**
 * A switch to a database that is not there would end the one in use: until the new one can be used, pods keep the address
 * they have, and what serves it stays. Undefined when nothing stands in the way, or nothing runs yet.
 */
export function holdDatabase(observed: Observed, access: DatabaseAccess): HeldDatabase | undefined {
  if (access.obstacle === undefined) return undefined;
  const proxyUrl = runningUrl(observed, 'proxy');
  const dashboardUrl = runningUrl(observed, 'dashboard');
  if (proxyUrl === undefined || dashboardUrl === undefined) return undefined;
  const { children } = observed;
  const secret = `Secret/${nameOf(observed, 'database')}`;
  // Policies name the pods of the database.
  const frozen = children.filter((child) => childKey(child) === secret || child.kind === 'NetworkPolicy');
  const kept = children.filter((child) => OF_THE_DATABASE.has(componentOf(child)));
  const keys = (objects: readonly KubeObject[]) => objects.map((object) => childKey(object));
  return {
    proxyUrl,
    dashboardUrl,
    keep: [...keys(kept), ...keys(frozen)],
    frozen: new Set(keys(frozen)),
  };
}

function runningUrl(observed: Observed, service: 'proxy' | 'dashboard'): SecretKey | undefined {
  const deployment = findChild(observed, 'Deployment', nameOf(observed, service));
  const [container] = listAt(deployment, 'spec', 'template', 'spec', 'containers');
  const variable = listAt(container, 'env').find((entry) => textAt(entry, 'name') === 'DATABASE_URL');
  const secret = textAt(variable, 'valueFrom', 'secretKeyRef', 'name');
  const key = textAt(variable, 'valueFrom', 'secretKeyRef', 'key');
  return secret === undefined || key === undefined ? undefined : { secret, key };
}
