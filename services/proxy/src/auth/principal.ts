import { hostOf } from '../host.ts';
import { OWN_ERRORS } from '../errors.ts';
import type { OwnError } from '../errors.ts';
import type { AccessOptions } from './access.ts';
import { inboundCredentials } from './inbound-credentials.ts';

/** Whose figures a caller may see: those of its domain, or those of its own account. */
export type Principal = { readonly domain: string } | { readonly accountId: string };

/**
 * Who asks for statistics. Unlike a request that is forwarded, which the upstream checks too, this is always
 * authenticated: ENABLE_CLIENT_AUTH=false opens nothing here.
 *
 * @param rawHeaders flat name, value list as Node gives it
 */
export function identifyPrincipal(
  rawHeaders: readonly string[],
  options: AccessOptions,
): Principal | OwnError {
  const host = hostOf(rawHeaders);
  if (host === undefined) return OWN_ERRORS.host;
  const candidates = inboundCredentials(rawHeaders);
  const found = options.credentials.find(host.domain);
  if (found === 'unusable') return OWN_ERRORS.credentialFile;
  if (found !== undefined) {
    return found.clientKeys.match(candidates) === undefined ? OWN_ERRORS.clientKey : { domain: found.domain };
  }
  if (options.passthrough === 'deny' || options.accountIds === undefined) return OWN_ERRORS.domain;
  const [credential] = candidates;
  if (credential === undefined) return OWN_ERRORS.credential;
  return { accountId: options.accountIds.of(credential) };
}
