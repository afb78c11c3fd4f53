import type { Logger } from '@claude-nexus/runtime';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance } from 'fastify';

import type { AccessOptions } from './auth/access.ts';
import { OWN_ERRORS } from './errors.ts';
import type { OwnError } from './errors.ts';
import { clientSetupRoutes } from './routes/client-setup.ts';
import { greetingRoutes } from './routes/greeting.ts';
import { healthRoutes } from './routes/health.ts';
import type { HealthSource } from './routes/health.ts';
import { sendError } from './routes/send-error.ts';
import { tokenStatsRoutes } from './routes/token-stats.ts';
import type { TokenStatsOptions } from './routes/token-stats.ts';

export interface AppOptions {
  readonly access: AccessOptions;
  readonly health: HealthSource;
  readonly tokenTotals: TokenStatsOptions['tokenTotals'];
  /** Folder of the files served under `/client-setup/`. */
  readonly clientSetupDir: string;
  readonly logger: Logger;
  /** Called once per answer with the route as declared, so that the number of routes is bounded. */
  readonly onAnswer?: (answer: { route: string; status: number }) => void;
}

/** No route here takes a body. */
const BODY_LIMIT = 16_384;

/**
 * Everything the proxy answers itself. What is under `/v1/` never comes here: the relay takes it before. Serve it
 * with `app.routing(request, response)` once `app.ready()` has resolved.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const { logger } = options;
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    // Refused by the server in front, which sees raw header lists; here there is one reading of them.
    trustProxy: false,
    frameworkErrors: (error, _request, reply) => void sendError(reply, classify(error, logger)),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler<FastifyError>((error, _request, reply) => sendError(reply, classify(error, logger)));
  app.setNotFoundHandler((_request, reply) => sendError(reply, OWN_ERRORS.notFound));
  app.addHook('onResponse', (request, reply, done) => {
    options.onAnswer?.({ route: request.routeOptions.url ?? 'none', status: reply.statusCode });
    done();
  });
  greetingRoutes(app);
  healthRoutes(app, options.health);
  tokenStatsRoutes(app, options);
  clientSetupRoutes(app, options.clientSetupDir);
  return app;
}

/** What a client may know of an error inside: that its request was wrong, or that it was not its fault. */
function classify(error: FastifyError, logger: Logger): OwnError {
  const status = error.statusCode ?? 500;
  if (status === 404) return OWN_ERRORS.notFound;
  if (status >= 400 && status < 500) return OWN_ERRORS.badRequest;
  logger.error({ err: error }, 'a request could not be answered');
  return OWN_ERRORS.internal;
}
