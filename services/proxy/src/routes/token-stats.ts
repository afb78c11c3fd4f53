import type { Logger } from '@claude-nexus/runtime';
import type { FastifyInstance } from 'fastify';

import type { AccessOptions } from '../auth/access.ts';
import { identifyPrincipal } from '../auth/principal.ts';
import type { Principal } from '../auth/principal.ts';
import { OWN_ERRORS } from '../errors.ts';
import { sendError } from './send-error.ts';

/** What the totals are limited to. At least one of the two is set. */
export interface TokenScope {
  readonly domain?: string;
  readonly accountId?: string;
}

export interface TokenStatsOptions {
  readonly access: AccessOptions;
  /** Sums over all replicas, from the database; absent when storage is off. */
  readonly tokenTotals: ((scope: TokenScope) => Promise<object>) | undefined;
  readonly logger: Logger;
}

/** A database that accepts the question and never answers must hold neither the client nor the end of the proxy. */
const QUERY_DEADLINE_MS = 6000;

const querystring = {
  type: 'object',
  properties: {
    domain: { type: 'string', maxLength: 300 },
    account: { type: 'string', maxLength: 200 },
  },
} as const;

/** `GET /token-stats?domain=&account=`: the totals of whoever asks; the parameters narrow them, never widen. */
export function tokenStatsRoutes(app: FastifyInstance, options: TokenStatsOptions): void {
  app.get('/token-stats', { schema: { querystring } }, async (request, reply) => {
    const principal = identifyPrincipal(request.raw.rawHeaders, options.access);
    if ('errorType' in principal) return sendError(reply, principal);
    const scope = narrow(principal, request.query as TokenStatsQuery);
    if (scope === undefined) return sendError(reply, OWN_ERRORS.scope);
    if (options.tokenTotals === undefined) return sendError(reply, OWN_ERRORS.noStorage);
    try {
      const totals = await withDeadline(options.tokenTotals(scope));
      return await reply
        .header('cache-control', 'no-store')
        .send({ domain: scope.domain ?? null, account: scope.accountId ?? null, ...totals });
    } catch (error) {
      options.logger.warn({ err: error }, 'token totals could not be read');
      return sendError(reply, OWN_ERRORS.database);
    }
  });
}

interface TokenStatsQuery {
  readonly domain?: string;
  readonly account?: string;
}

/** @returns undefined when the parameters ask for what the principal may not see */
function narrow(principal: Principal, query: TokenStatsQuery): TokenScope | undefined {
  const domain = given(query.domain)?.toLowerCase();
  const accountId = given(query.account);
  if ('domain' in principal) {
    if (domain !== undefined && domain !== principal.domain) return undefined;
    return { domain: principal.domain, ...(accountId === undefined ? {} : { accountId }) };
  }
  if (accountId !== undefined && accountId !== principal.accountId) return undefined;
  return { accountId: principal.accountId, ...(domain === undefined ? {} : { domain }) };
}

function given(parameter: string | undefined): string | undefined {
  return parameter === '' ? undefined : parameter;
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => expired.reject(new DOMException('the database did not answer in time', 'TimeoutError')),
    QUERY_DEADLINE_MS,
  );
  try {
    return await Promise.race([work, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
