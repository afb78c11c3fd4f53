import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { openPool, tokenTotals } from '@claude-nexus/database';
import { disabledRecorder, openRecorder } from '@claude-nexus/recording';
import type { Recorder } from '@claude-nexus/recording';
import {
  closeServer,
  createLogger,
  createMetrics,
  listen,
  serveMetrics,
  Shutdown,
} from '@claude-nexus/runtime';
import type { CloserContext, Logger, Metrics } from '@claude-nexus/runtime';

import { createApp } from './app.ts';
import { createAccessDecider } from './auth/access.ts';
import type { AccessOptions } from './auth/access.ts';
import { AccountIds } from './auth/account-ids.ts';
import type { ProxyConfig } from './config.ts';
import { CredentialStore } from './credentials/credential-store.ts';
import { availableMemory } from './memory.ts';
import { createProxyMetrics, createRelayMetrics } from './metrics.ts';
import type { ProxyMetrics } from './metrics.ts';
import { createRelay } from './relay/relay.ts';
import type { Relay } from './relay/relay.ts';
import { createWireServer } from './relay/wire-server.ts';
import type { TokenStatsOptions } from './routes/token-stats.ts';

const CLIENT_SETUP_DIR = fileURLToPath(new URL('../../../client-setup', import.meta.url));

/** After DRAIN_TIMEOUT: to write out the spool and close. Below the 30 s the grace period of a pod has on top. */
const CLOSING_MS = 15_000;

/** While draining: how often connections are closed on which no exchange is in progress. */
const CLOSE_IDLE_MS = 100;

const STATISTICS_CONNECTIONS = 2;
const STATISTICS_TIMEOUT_MS = 5000;
/** Least memory for what the spool's disk has yet to take: two of the largest bodies. */
const LEAST_QUEUED_BYTES = 64 * 2 ** 20;

/** Of the memory there is, what may hold earlier exchanges. */
const REMEMBERED_SHARE = 1 / 8;

/** What the parts of the proxy share while it starts. */
interface Context {
  readonly config: ProxyConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

/**
 * Starts the proxy and returns once it serves; from then on signals end it.
 *
 * @throws {NexusError} one line about a taken port, an unusable folder or credential file
 */
export async function startProxy(config: ProxyConfig, warnings: readonly string[]): Promise<void> {
  const logger = createLogger({ name: 'proxy', level: config.logLevel });
  for (const warning of warnings) logger.warn(warning);
  const shutdown = new Shutdown({ logger, deadlineMs: config.drainTimeoutMs + CLOSING_MS });
  const context: Context = { config, logger, metrics: createMetrics({ component: 'proxy' }), shutdown };
  shutdown.install();
  try {
    await startParts(context);
  } catch (error) {
    await shutdown.release();
    throw error;
  }
}

async function startParts(context: Context): Promise<void> {
  const { config, logger, metrics, shutdown } = context;
  const own = createProxyMetrics(metrics);
  const credentials = await CredentialStore.open({
    folder: config.credentialsDir,
    rules: { enableClientAuth: config.enableClientAuth, allowStoredOauth: config.allowStoredOauth },
    logger,
    onReloadFailure: () => own.credentialReloadFailed(),
  });
  shutdown.add('credentials', () => credentials.close());
  own.watchCredentials(() => credentials.counts());
  const metricsServer = await serveMetrics({
    registry: metrics.registry,
    host: config.host,
    port: config.metricsPort,
  });
  shutdown.add('metrics', () => metricsServer.close());
  const recorder = await startRecorder(context);
  const { passthrough, enableClientAuth, accountHashKey } = config;
  const accountIds = accountHashKey === undefined ? undefined : new AccountIds(accountHashKey);
  const access: AccessOptions = { credentials, passthrough, enableClientAuth, accountIds };
  const port = await startServer(context, { access, recorder, own });
  logger.info(
    { host: config.host, port, metricsPort: metricsServer.port, ...credentials.counts(), passthrough },
    'the proxy serves',
  );
}

async function startRecorder({ config, logger, metrics, shutdown }: Context): Promise<Recorder> {
  const { databaseUrl, spoolDir, spoolMaxBytes } = config;
  if (!config.storageEnabled || databaseUrl === undefined) return disabledRecorder();
  const recorderId = `${hostname()}:${config.port}`;
  const recorder = await openRecorder({
    spoolDir,
    spoolMaxBytes,
    databaseUrl,
    recorderId,
    logger,
    metrics,
    maxRememberedBytes: availableMemory() * REMEMBERED_SHARE,
    maxQueuedBytes: Math.max(LEAST_QUEUED_BYTES, config.maxInflightBytes / 2),
  });
  // A durable spool is shipped by the next start; another would be gone with this process.
  shutdown.add('recorder', (closing) =>
    recorder.close({
      deadlineMs: config.spoolDurable
        ? closing.remainingMs() / 2
        : Math.max(CLOSING_MS / 3, drainMs(closing)),
      ship: !config.spoolDurable,
    }),
  );
  return recorder;
}

/** What is left of DRAIN_TIMEOUT, which streams and shipping share. Milliseconds. */
function drainMs(closing: CloserContext): number {
  return Math.max(0, closing.remainingMs() - CLOSING_MS);
}

interface Parts {
  readonly access: AccessOptions;
  readonly recorder: Recorder;
  readonly own: ProxyMetrics;
}

async function startServer(context: Context, parts: Parts): Promise<number> {
  const { config, logger, metrics, shutdown } = context;
  const relay = createRelay({
    upstream: new URL(config.claudeApiBaseUrl),
    recorder: parts.recorder,
    access: createAccessDecider(parts.access),
    logger,
    metrics: createRelayMetrics(metrics, (domain) => parts.access.credentials.find(domain) !== undefined),
    maxInflightBytes: config.maxInflightBytes,
  });
  parts.own.watchInflight(() => relay.inflight());
  const app = createApp({
    access: parts.access,
    health: { draining: () => shutdown.started },
    tokenTotals: openStatistics(context),
    clientSetupDir: CLIENT_SETUP_DIR,
    logger,
    onAnswer: (answer) => parts.own.answered(answer),
  });
  await app.ready();
  const server = createWireServer({ relay, fallback: (request, response) => app.routing(request, response) });
  shutdown.add('server', async (closing) => {
    // A client that kept one would send its next requests here again, to be refused.
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
    await drain(relay, drainMs(closing), logger);
    clearInterval(idle);
    await closeServer(server);
    await app.close();
  });
  return listen(server, { host: config.host, port: config.port, setting: 'PORT' });
}

function openStatistics({ config, logger, shutdown }: Context): TokenStatsOptions['tokenTotals'] {
  const { databaseUrl } = config;
  if (!config.storageEnabled || databaseUrl === undefined) return undefined;
  const pool = openPool({
    url: databaseUrl,
    role: 'nexus_writer',
    max: STATISTICS_CONNECTIONS,
    applicationName: 'claude-nexus-proxy-statistics',
    statementTimeoutMs: STATISTICS_TIMEOUT_MS,
    onError: (error) => logger.warn({ err: error }, 'a database connection was lost while idle'),
  });
  shutdown.add('statistics', () => pool.end());
  return (scope) => tokenTotals(pool, scope);
}

/** New requests get 503 from now on; those under way may end until the time is over. */
async function drain(relay: Relay, timeoutMs: number, logger: Logger): Promise<void> {
  relay.drain();
  const timer = new AbortController();
  await Promise.race([
    relay.idle(),
    delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  const cut = relay.inflight();
  if (cut > 0) logger.warn({ exchanges: cut }, 'DRAIN_TIMEOUT is over: exchanges under way are cut');
  await relay.close();
}
