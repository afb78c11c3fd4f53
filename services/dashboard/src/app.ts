import { setTimeout as delay } from 'node:timers/promises';
import cookie from '@fastify/cookie';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { createMetrics, speaksHttp } from '@claude-nexus/runtime';
import type { Logger, Metrics } from '@claude-nexus/runtime';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { Authenticator } from './auth/authenticator.ts';
import { guard } from './auth/guard.ts';
import { ForeignProtocolError } from './errors.ts';
import { ChangeFeed } from './events/change-feed.ts';
import { EventHub } from './events/event-hub.ts';
import { StatsPublisher } from './events/stats-publisher.ts';
import { answerOtherMethods } from './http/allowed-methods.ts';
import { createDashboardMetrics } from './http/metrics.ts';
import type { DashboardMetrics } from './http/metrics.ts';
import { answerWithProblems, sendProblemOf } from './http/problem.ts';
import { ResponseCache } from './http/response-cache.ts';
import { DATA_POLICY, PAGE_POLICY, secureHeaders } from './http/security-headers.ts';
import { ProxyProbe } from './proxy-probe.ts';
import type { App, RouteContext } from './routes/context.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { describeRoutes, openapiRoutes } from './routes/openapi.ts';
import { proxyRoutes } from './routes/proxy.ts';
import { requestRoutes } from './routes/requests.ts';
import { sessionRoutes } from './routes/session.ts';
import { storageStatsRoutes } from './routes/storage-stats.ts';
import { webRoutes } from './routes/web.ts';
import type { DashboardStore } from './store.ts';

export interface DashboardOptions {
  readonly store: DashboardStore;
  readonly logger: Logger;
  /** The dashboard key. */
  readonly apiKey: string;
  /** With a slash at both ends; `/` when absent. */
  readonly basePath?: string;
  /** PROXY_API_URL. */
  readonly proxyUrl?: string | undefined;
  /** Folder of the built web application. */
  readonly webRoot: string;
  readonly metrics?: Metrics;
  /** Epoch milliseconds; the clock of the system when absent. */
  readonly now?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  /** Resolves after so many milliseconds; by a timer when absent. */
  readonly wait?: (ms: number) => Promise<void>;
  /** Event streams served at most. */
  readonly maxStreams?: number;
}

/** The dashboard without its socket. */
export interface Dashboard {
  readonly app: App;
  readonly feed: ChangeFeed;
  /** From now on readiness is refused; everything is still answered. */
  drain(): void;
}

const BODY_LIMIT = 16_384;
const REQUEST_TIMEOUT_MS = 30_000;
const CACHE = { maxBytes: 64 * 1024 * 1024, ttlMs: 30_000 };
const MAX_STREAMS = 500;

/** Builds the dashboard. `app.listen` or `app.inject` make it answer, `app.close` ends streams and feed. */
export async function buildDashboard(options: DashboardOptions): Promise<Dashboard> {
  const metrics = createDashboardMetrics(
    options.metrics ?? createMetrics({ component: 'dashboard', processMetrics: false }),
  );
  const state = { draining: false };
  const { feed, context } = createContext(options, metrics, state);
  const app = createApp(options.logger);
  metrics.observe(app);
  secureHeaders(app, PAGE_POLICY);
  app.addHook('onRequest', async (request) => {
    if (!speaksHttp(request.raw)) throw new ForeignProtocolError();
  });
  answerWithProblems(app);
  await app.register(cookie);
  await describeRoutes(app, context.basePath);
  const prefix = context.basePath.slice(0, -1);
  await app.register(async (data) => dataRoutes(data as App, context), { prefix });
  if (prefix !== '') await app.register(async (root) => openRoutes(root as App, context));
  await webRoutes(app, { webRoot: options.webRoot, basePath: context.basePath });
  app.addHook('preClose', async () => {
    state.draining = true;
    context.hub.close();
    await feed.stop();
  });
  return {
    app,
    feed,
    drain: () => {
      state.draining = true;
    },
  };
}

function createContext(
  options: DashboardOptions,
  metrics: DashboardMetrics,
  state: { readonly draining: boolean },
): { feed: ChangeFeed; context: RouteContext } {
  const { store, logger, proxyUrl: url } = options;
  const now = options.now ?? Date.now;
  const feed = new ChangeFeed({ store, logger, now });
  const hub = new EventHub({
    feed,
    stats: new StatsPublisher({ store, logger, now }),
    store,
    logger,
    now,
    maxStreams: options.maxStreams ?? MAX_STREAMS,
    onDropped: metrics.streamDropped,
  });
  metrics.watchStreams(() => hub.size);
  const context: RouteContext = {
    store,
    cache: new ResponseCache({ ...CACHE, now, version: () => feed.version }),
    hub,
    authenticator: new Authenticator({
      key: options.apiKey,
      now,
      onFailure: metrics.loginFailed,
      wait: options.wait ?? delay,
    }),
    proxy: new ProxyProbe({ url, now, fetch: options.fetch ?? globalThis.fetch }),
    basePath: options.basePath ?? '/',
    now,
    health: () => ({ draining: state.draining, database: feed.state, ready: feed.position !== undefined }),
  };
  return { feed, context };
}

function createApp(logger: FastifyBaseLogger): App {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _request, reply) => void sendProblemOf(reply, error),
    // Nothing is dropped silently: what is not known is refused by name. `verbose` gives the fix its facts.
    ajv: { customOptions: { removeAdditional: false, verbose: true } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Answers are rendered once and cached, so the schemas of responses are documentation; tests hold us to them.
  app.setSerializerCompiler(() => JSON.stringify);
  // JSON only: another site cannot send that without being asked first.
  app.removeContentTypeParser('text/plain');
  return app;
}

/** Routes whose answers are data: health, and behind the guard everything else. */
async function dataRoutes(app: App, context: RouteContext): Promise<void> {
  await openRoutes(app, context);
  await app.register(async (scope) => {
    const guarded = scope as App;
    secureHeaders(guarded, DATA_POLICY);
    guard(guarded, context.authenticator);
    answerOtherMethods(guarded, () => eventRoutes(guarded, context));
    await guarded.register(async (api) => apiRoutes(api as App, context), { prefix: '/api' });
  });
}

async function openRoutes(app: App, context: RouteContext): Promise<void> {
  await app.register(async (open) => {
    secureHeaders(open, DATA_POLICY);
    answerOtherMethods(open, () => healthRoutes(open, context));
  });
}

function apiRoutes(app: App, context: RouteContext): void {
  answerOtherMethods(app, () => {
    sessionRoutes(app, context);
    requestRoutes(app, context);
    storageStatsRoutes(app, context);
    proxyRoutes(app, context);
    openapiRoutes(app);
  });
}
