import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ForeignOriginError, UnauthenticatedError } from '../errors.ts';
import type { Authenticator, Caller } from './authenticator.ts';
import { sameOrigin } from './same-origin.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; undefined on routes open to everybody when nobody is logged in. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Served without a key, too. */
    open?: boolean;
  }
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Makes every route of this instance demand a key or session, except those with `config.open`. */
export function guard(app: FastifyInstance, authenticator: Authenticator): void {
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request) => {
    request.caller = await authenticator.identify(request);
    if (request.routeOptions.config.open !== true && request.caller === undefined) {
      throw new UnauthenticatedError();
    }
    if (changes(request) && request.caller?.method !== 'key' && !sameOrigin(request.headers)) {
      throw new ForeignOriginError();
    }
  });
}

function changes(request: FastifyRequest): boolean {
  return !SAFE_METHODS.has(request.method);
}
