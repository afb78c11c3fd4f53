import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { Cache } from '../../kube/cache.ts';
import { KINDS } from '../../kube/kinds.ts';
import type { Kind } from '../../kube/kinds.ts';
import { keyOf } from '../../kube/object.ts';
import type { KubeObject } from '../../kube/object.ts';
import { FIELD_MANAGER } from '../../resources/names.ts';
import { secretNames } from '../../resources/secrets.ts';
import { SecretReferences, referencedSecrets } from './secret-references.ts';

/** Queues every resource that a change in the cache concerns. */
export function watchResources(cache: Cache, enqueue: (key: string) => void): void {
  const references = new SecretReferences();
  cache.onChange((kind, object, previous) => {
    if (kind.kind === 'ClaudeNexus') {
      const owner = object as ClaudeNexus;
      const isThere = cache.has(kind, owner.metadata);
      references.set(
        keyOf(owner.metadata),
        owner.metadata.namespace,
        isThere ? [...referencedSecrets(owner), ...generatedSecrets(owner)] : [],
      );
      // Also for a status of our own: whoever looked between the write and this echo compared with an older one.
      enqueue(keyOf(owner.metadata));
      return;
    }
    if (kind.kind === 'StorageClass') {
      for (const owner of cache.list(KINDS.ClaudeNexus, {})) enqueue(keyOf(owner.metadata));
      return;
    }
    for (const key of concerned(kind, [object, previous], references)) enqueue(key);
  });
}

/** One that was lost and is put back by hand has none of our labels. */
function generatedSecrets(owner: ClaudeNexus): string[] {
  const { keys, clientKeys, logins, postgresPassword } = secretNames(owner);
  return [keys, clientKeys, logins, postgresPassword];
}

function concerned(
  kind: Kind,
  states: readonly (KubeObject | undefined)[],
  references: SecretReferences,
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const state of states) {
    const { labels, namespace = '', name = '' } = state?.metadata ?? {};
    const instance = labels?.['app.kubernetes.io/instance'];
    if (labels?.['app.kubernetes.io/managed-by'] === FIELD_MANAGER && instance !== undefined) {
      keys.add(`${namespace}/${instance}`);
    }
    if (kind.kind === 'Secret') for (const key of references.keysOf(namespace, name)) keys.add(key);
  }
  return keys;
}
