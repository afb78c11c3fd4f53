import type { DomainCredential, DomainLookup } from '../credentials/domain-credential.ts';
import { OWN_ERRORS } from '../errors.ts';
import type { OwnError } from '../errors.ts';
import type { AccessDecider, AccessDecision, AccessRequest, RefuseDecision } from '../relay/ports.ts';
import type { AccountIds } from './account-ids.ts';
import { inboundCredentials } from './inbound-credentials.ts';

export interface AccessOptions {
  readonly credentials: DomainLookup;
  readonly passthrough: 'allow' | 'deny';
  /** False: domains with a credential file are open to everybody. */
  readonly enableClientAuth: boolean;
  /** Set whenever `passthrough` is `allow`. */
  readonly accountIds: AccountIds | undefined;
}

/** Nothing by which a client identifies itself to the gateway may reach the upstream of a managed domain. */
const INBOUND_CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'cookie',
  'proxy-authorization',
]);

/** Between client and proxy only (RFC 9110 section 11.7.2). */
const HOP_CREDENTIALS: ReadonlySet<string> = new Set(['proxy-authorization']);

const MANAGED_PATHS: ReadonlySet<string> = new Set([
  '/v1/messages',
  '/v1/messages/count_tokens',
  '/v1/models',
]);

/** One model: `/v1/models/<id>`. */
const MODEL_PATH = /^\/v1\/models\/[A-Za-z0-9][A-Za-z0-9._@:-]{0,199}$/;

/** Characters and segments by which a path could mean another one to the upstream than it does here. */
const AMBIGUOUS_PATH = /[%\\]|\/\/|\/\.{1,2}(\/|$)/;

/** Whether and with which credential a request goes upstream, from memory. */
export function createAccessDecider(options: AccessOptions): AccessDecider {
  return (request) => {
    const found = options.credentials.find(request.domain);
    if (found === undefined) return decidePassthrough(request, options);
    if (found === 'unusable') return refuse(OWN_ERRORS.credentialFile);
    return decideManaged(request, found, options);
  };
}

function decideManaged(
  request: AccessRequest,
  credential: DomainCredential,
  options: AccessOptions,
): AccessDecision {
  const clientKeyName = credential.clientKeys.match(inboundCredentials(request.headers.raw));
  if (options.enableClientAuth && clientKeyName === undefined) return refuse(OWN_ERRORS.clientKey);
  const path = pathOf(request);
  if (!isManagedPath(path, credential.allowedPaths)) return refuse(OWN_ERRORS.path);
  return {
    kind: 'forward',
    domain: credential.domain,
    scope: `domain:${credential.domain}`,
    accountId: credential.accountId,
    ...(clientKeyName === undefined ? {} : { clientKeyName }),
    outboundHeaders: { strip: INBOUND_CREDENTIALS, add: [credential.outboundHeader] },
    recordBody: isRecorded(request.method, path),
  };
}

function decidePassthrough(request: AccessRequest, options: AccessOptions): AccessDecision {
  if (options.passthrough === 'deny' || options.accountIds === undefined) return refuse(OWN_ERRORS.domain);
  const [credential] = inboundCredentials(request.headers.raw);
  // Without a credential the upstream answers 401 in its own words, which the client understands best.
  const accountId = credential === undefined ? undefined : options.accountIds.of(credential);
  return {
    kind: 'forward',
    domain: request.domain,
    scope: `account:${accountId ?? 'none'}`,
    ...(accountId === undefined ? {} : { accountId }),
    outboundHeaders: { strip: HOP_CREDENTIALS, add: [] },
    recordBody: isRecorded(request.method, pathOf(request)),
  };
}

function pathOf(request: AccessRequest): string {
  const query = request.path.indexOf('?');
  return query === -1 ? request.path : request.path.slice(0, query);
}

function isRecorded(method: string, path: string): boolean {
  return method === 'POST' && path === '/v1/messages';
}

function isManagedPath(path: string, allowed: readonly string[]): boolean {
  if (MANAGED_PATHS.has(path) || MODEL_PATH.test(path)) return true;
  if (AMBIGUOUS_PATH.test(path)) return false;
  return allowed.some((rule) => (rule.endsWith('/*') ? path.startsWith(rule.slice(0, -1)) : path === rule));
}

function refuse(error: OwnError): RefuseDecision {
  return { kind: 'refuse', ...error };
}
