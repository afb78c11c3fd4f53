import { CredentialFileError, parseCredentialFile } from '@claude-nexus/runtime';

import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { Reason } from '../api/v1alpha1/conditions.ts';
import type { DomainSpec } from '../api/v1alpha1/spec.ts';
import type { KubeObject } from '../kube/object.ts';
import { credentialFileName, credentialPath, domainSecretName } from '../resources/secrets.ts';
import type { DomainSecret } from '../resources/render-context.ts';
import { secretText } from './secret.ts';

interface CredentialProblem {
  readonly host: string;
  readonly reason: Extract<Reason, 'SecretNotFound' | 'SecretKeyNotFound' | 'CredentialInvalid'>;
  /** One sentence with object and fix, no value. */
  readonly message: string;
  /** A usable file from before is still served. */
  readonly lastGoodKept: boolean;
}

export interface Credentials {
  readonly domainSecrets: readonly DomainSecret[];
  readonly problems: readonly CredentialProblem[];
}

interface Sources {
  readonly secrets: ReadonlyMap<string, KubeObject>;
  /** Generated client key by host, for domains that bring none. */
  readonly generatedKeys: ReadonlyMap<string, string>;
}

/** Hosts for which a client key is generated. */
export function hostsWithoutClientKeys(owner: ClaudeNexus): string[] {
  return (owner.spec.domains ?? [])
    .filter((domain) => (domain.clientKeys ?? []).length === 0)
    .map((domain) => domain.host);
}

/**
 * One credential file per domain, from the Secrets the spec names. A domain whose file cannot be made keeps the last
 * one that could; without one it has no Secret.
 */
export function assembleCredentials(owner: ClaudeNexus, sources: Sources): Credentials {
  const domainSecrets: DomainSecret[] = [];
  const problems: CredentialProblem[] = [];
  for (const domain of owner.spec.domains ?? []) {
    const name = domainSecretName(owner, domain.host);
    const result = credentialFile(domain, sources);
    const content = result.content ?? lastGood(sources.secrets.get(name), domain.host);
    if (content !== undefined) domainSecrets.push({ host: domain.host, name, content });
    if (result.problem !== undefined) {
      const lastGoodKept = content !== undefined;
      problems.push({ ...result.problem, host: domain.host, lastGoodKept });
    }
  }
  return { domainSecrets, problems };
}

type Problem = Pick<CredentialProblem, 'reason' | 'message'>;
type FileResult =
  | { readonly content: string; readonly problem?: undefined }
  | { readonly content?: undefined; readonly problem: Problem };

function credentialFile(domain: DomainSpec, sources: Sources): FileResult {
  const credential = lookUp(domain.credential.secretRef, sources.secrets);
  if ('reason' in credential) return { problem: credential };
  const keys: { name: string; key: string }[] = [];
  for (const { name, secretRef } of domain.clientKeys ?? []) {
    const key = lookUp(secretRef, sources.secrets);
    if ('reason' in key) return { problem: key };
    keys.push({ name, key: key.text });
  }
  const generated = sources.generatedKeys.get(domain.host);
  if (keys.length === 0 && generated !== undefined) keys.push({ name: 'default', key: generated });
  return checked(domain, {
    type: 'api_key',
    ...(domain.accountId === undefined ? {} : { accountId: domain.accountId }),
    api_key: credential.text,
    ...(keys.length === 0 ? {} : { client_keys: keys }),
    ...(domain.allowedPaths === undefined ? {} : { allowed_paths: domain.allowedPaths }),
  });
}

function lookUp(
  ref: { readonly name: string; readonly key: string },
  secrets: ReadonlyMap<string, KubeObject>,
): { readonly text: string } | Problem {
  const secret = secrets.get(ref.name);
  if (secret === undefined) {
    return { reason: 'SecretNotFound', message: `Secret ${ref.name} does not exist; create it` };
  }
  // `kubectl create secret --from-file` keeps the newline an editor ends a file with.
  const text = secretText(secret, ref.key)?.trim();
  return text === undefined || text === ''
    ? {
        reason: 'SecretKeyNotFound',
        message: `Secret ${ref.name} has no value under the key ${ref.key}; add it`,
      }
    : { text };
}

function checked(domain: DomainSpec, file: Record<string, unknown>): FileResult {
  const content = JSON.stringify(file);
  try {
    parseCredentialFile(content, credentialPath(domain.host));
    return { content };
  } catch (error) {
    if (!(error instanceof CredentialFileError)) throw error;
    const message = `${error.message} (the key comes from Secret ${domain.credential.secretRef.name})`;
    return { problem: { reason: 'CredentialInvalid', message } };
  }
}

function lastGood(secret: KubeObject | undefined, host: string): string | undefined {
  return secretText(secret, credentialFileName(host));
}
