import { hostOf } from '../credentials/domain.ts';
import type { DomainCredential, DomainLookup } from '../credentials/domain-credential.ts';
import { OWN_ERRORS } from '../errors.ts';
import type { OwnError } from '../errors.ts';
import { accountIdOf, inboundCredentials } from './inbound-credentials.ts';

/** What access control sees of a request. */
export interface AccessRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Flat name, value list as Node gives it. */
  readonly rawHeaders: readonly string[];
}

export interface ForwardDecision {
  readonly kind: 'forward';
  readonly domain: string;
  /** Principal the exchange belongs to: `domain:<domain>`, `account:<hash>` or `account:none`. */
  readonly scope: string;
  readonly accountId?: string;
  readonly clientKeyName?: string;
  /** Lower-case names of headers that must not go upstream. */
  readonly strip: ReadonlySet<string>;
  /** Flat name, value list of headers that go upstream besides those of the client. */
  readonly add: readonly string[];
  /** False: a metadata row only, never a body. */
  readonly recordBody: boolean;
}

export interface RefuseDecision extends OwnError {
  readonly kind: 'refuse';
}

export type AccessDecision = ForwardDecision | RefuseDecision;

/** Decides at once, from memory, whether and with which credential a request goes upstream. */
export type AccessDecider = (request: AccessRequest) => AccessDecision;

export interface AccessOptions {
  readonly credentials: DomainLookup;
  readonly passthrough: 'allow' | 'deny';
  /** False: domains with a credential file are open to everybody. */
  readonly enableClientAuth: boolean;
  /** Set whenever `passthrough` is `allow`. */
  readonly accountHashKey: string | undefined;
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

export function createAccessDecider(options: AccessOptions): AccessDecider {
  return (request) => {
    const host = hostOf(request.rawHeaders);
    if (host === undefined) return refuse(OWN_ERRORS.host);
    const found = options.credentials.find(host.domain);
    if (found === undefined) return decidePassthrough(request, host.domain, options);
    if (found === 'unusable') return refuse(OWN_ERRORS.credentialFile);
    return decideManaged(request, found, options);
  };
}

function decideManaged(
  request: AccessRequest,
  credential: DomainCredential,
  options: AccessOptions,
): AccessDecision {
  const clientKeyName = credential.clientKeys.match(inboundCredentials(request.rawHeaders));
  if (options.enableClientAuth && clientKeyName === undefined) return refuse(OWN_ERRORS.clientKey);
  if (!isManagedPath(request.path, credential.allowedPaths)) return refuse(OWN_ERRORS.path);
  return {
    kind: 'forward',
    domain: credential.domain,
    scope: `domain:${credential.domain}`,
    accountId: credential.accountId,
    ...(clientKeyName === undefined ? {} : { clientKeyName }),
    strip: INBOUND_CREDENTIALS,
    add: credential.outboundHeaders,
    recordBody: isRecorded(request),
  };
}

function decidePassthrough(request: AccessRequest, domain: string, options: AccessOptions): AccessDecision {
  if (options.passthrough === 'deny' || options.accountHashKey === undefined)
    return refuse(OWN_ERRORS.domain);
  const [credential] = inboundCredentials(request.rawHeaders);
  // Without a credential the upstream answers 401 in its own words, which the client understands best.
  const accountId = credential === undefined ? undefined : accountIdOf(credential, options.accountHashKey);
  return {
    kind: 'forward',
    domain,
    scope: `account:${accountId ?? 'none'}`,
    ...(accountId === undefined ? {} : { accountId }),
    strip: HOP_CREDENTIALS,
    add: [],
    recordBody: isRecorded(request),
  };
}

function isRecorded(request: AccessRequest): boolean {
  return request.method === 'POST' && request.path === '/v1/messages';
}

function isManagedPath(path: string, allowed: readonly string[]): boolean {
  if (MANAGED_PATHS.has(path) || MODEL_PATH.test(path)) return true;
  if (AMBIGUOUS_PATH.test(path)) return false;
  return allowed.some((rule) => (rule.endsWith('/*') ? path.startsWith(rule.slice(0, -1)) : path === rule));
}

function refuse(error: OwnError): RefuseDecision {
  return { kind: 'refuse', ...error };
}
