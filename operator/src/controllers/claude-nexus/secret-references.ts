import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import { secretNames } from '../../resources/secrets.ts';

/** Names of the Secrets a resource reads but does not make. */
export function referencedSecrets(owner: ClaudeNexus): string[] {
  const { database, dashboard, domains = [] } = owner.spec;
  return [
    ...new Set([
      ...(database.external === undefined ? [] : [database.external.secretRef.name]),
      ...(database.cloudNativePG === undefined ? [] : [secretNames(owner).cloudNativePgSuperuser]),
      ...(dashboard.keySecretRef === undefined ? [] : [dashboard.keySecretRef.name]),
      ...domains.flatMap(({ credential, clientKeys = [] }) => [
        credential.secretRef.name,
        ...clientKeys.map(({ secretRef }) => secretRef.name),
      ]),
    ]),
  ];
}

/** Which resources read which Secret, so that a change of one finds them. */
export class SecretReferences {
  readonly #bySecret = new Map<string, Set<string>>();
  readonly #byOwner = new Map<string, readonly string[]>();

  /** @param names Secrets the resource refers to; none when it is gone */
  set(key: string, namespace: string, names: readonly string[]): void {
    for (const secret of this.#byOwner.get(key) ?? []) {
      const keys = this.#bySecret.get(secret);
      keys?.delete(key);
      if (keys?.size === 0) this.#bySecret.delete(secret);
    }
    const secrets = names.map((name) => `${namespace}/${name}`);
    if (secrets.length === 0) this.#byOwner.delete(key);
    else this.#byOwner.set(key, secrets);
    for (const secret of secrets) {
      let keys = this.#bySecret.get(secret);
      if (keys === undefined) this.#bySecret.set(secret, (keys = new Set()));
      keys.add(key);
    }
  }

  keysOf(namespace: string, name: string): string[] {
    return [...(this.#bySecret.get(`${namespace}/${name}`) ?? [])];
  }
}
