import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { hashOf } from './hash.ts';
import { childName } from './names.ts';
import type { Component } from './names.ts';
import type { DomainSecret, RenderContext } from './render-context.ts';

/** Names of the Secrets of a resource, generated and derived. */
export function secretNames(owner: ClaudeNexus) {
  const name = (suffix: string): string => childName(owner.metadata.name, suffix);
  return {
    keys: name('keys'),
    clientKeys: name('client-keys'),
    postgresPassword: name('postgres-password'),
    logins: name('logins'),
    database: name('database'),
    /** Made by CloudNativePG. */
    cloudNativePgSuperuser: `${name('postgres')}-superuser`,
  } as const;
}

/** Name of the Secret with the credential file of a domain. */
export function domainSecretName(owner: ClaudeNexus, host: string): string {
  return childName(owner.metadata.name, `domain-${hashOf(host)}`);
}

/** Key of a domain's Secret: the name of its file, with `_` for what a key may not hold, as in an IPv6 address. */
export function credentialFileName(host: string): string {
  return credentialPath(host).replaceAll(/[^-._a-zA-Z0-9]/g, '_');
}

/** Name of the file the proxy looks for. */
export function credentialPath(host: string): string {
  return `${host}.credentials.json`;
}

/** A Secret of ours. @param data texts, not yet in base64 */
function secret(
  owner: ClaudeNexus,
  identity: { readonly name: string; readonly component: Component },
  data: Readonly<Record<string, string>>,
): KubeObject {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return child(
    { owner, kind: KINDS.Secret, ...identity },
    // Not stringData: the server turns that into data and an apply could not take a key away again.
    { type: 'Opaque', data: Object.fromEntries(encoded) as Record<string, string> },
  );
}

/** The derived Secrets: the database's URLs and logins, and a credential file per domain. */
export function derivedSecrets({ owner, databaseSecret, domainSecrets }: RenderContext): KubeObject[] {
  return [
    ...(databaseSecret === undefined
      ? []
      : [secret(owner, { name: secretNames(owner).database, component: 'database' }, databaseSecret)]),
    ...domainSecrets.map((domain) => domainSecretOf(owner, domain)),
  ];
}

function domainSecretOf(owner: ClaudeNexus, { host, name, content }: DomainSecret): KubeObject {
  return secret(owner, { name, component: 'credentials' }, { [credentialFileName(host)]: content });
}
