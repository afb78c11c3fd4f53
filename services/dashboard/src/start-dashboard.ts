import { fileURLToPath } from 'node:url';
import { listenForChanges, openPool, schemaFit, schemaVersion } from '@claude-nexus/database';
import { Shutdown, createLogger, createMetrics, listen, serveMetrics } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';
import { buildDashboard } from './app.ts';
import type { Dashboard } from './app.ts';
import type { DashboardConfig } from './config.ts';
import { createDatabaseStore } from './database/database-store.ts';
import { SchemaGate } from './database/schema-gate.ts';

const WEB_ROOT = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/** Streams are ended at once; answers under way have until then. */
const SHUTDOWN_MS = 10_000;
const CONNECTIONS = 8;
const STATEMENT_TIMEOUT_MS = 5_000;

type Pool = ReturnType<typeof openPool>;

/**
 * Starts the dashboard and returns once it serves; from then on signals end it.
 *
 * @throws {NexusError} one line about a taken port or a schema that no longer serves this version
 */
export async function startDashboard(config: DashboardConfig, warnings: readonly string[]): Promise<void> {
  const logger = createLogger({ name: 'dashboard', level: config.logLevel });
  for (const warning of warnings) logger.warn(warning);
  const shutdown = new Shutdown({ logger, deadlineMs: SHUTDOWN_MS });
  shutdown.install();
  try {
    await startParts({ config, logger, shutdown });
  } catch (error) {
    await shutdown.release();
    throw error;
  }
}

interface Context {
  readonly config: DashboardConfig;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

async function startParts(context: Context): Promise<void> {
  const { config, logger, shutdown } = context;
  const metrics = createMetrics({ component: 'dashboard' });
  const pool = openReader(context);
  const metricsServer = await serveMetrics({
    registry: metrics.registry,
    host: config.host,
    port: config.metricsPort,
  });
  shutdown.add('metrics', () => metricsServer.close());
  const { apiKey, basePath, proxyUrl } = config;
  const store = createDatabaseStore(pool);
  const dashboard = await buildDashboard({
    store,
    logger,
    metrics,
    apiKey,
    basePath,
    proxyUrl,
    webRoot: WEB_ROOT,
  });
  await dashboard.app.ready();
  shutdown.add('server', async () => {
    dashboard.drain();
    await dashboard.app.close();
  });
  await startGate(context, { pool, dashboard });
  const { host } = config;
  const port = await listen(dashboard.app.server, { host, port: config.port, setting: 'PORT' });
  logger.info({ host, port, basePath, metricsPort: metricsServer.port }, 'the dashboard serves');
}

function openReader({ config, logger, shutdown }: Context): Pool {
  const pool = openPool({
    url: config.databaseUrl,
    role: 'nexus_reader',
    max: CONNECTIONS,
    applicationName: 'claude-nexus-dashboard',
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onError: (error) => logger.warn({ err: error }, 'a database connection was lost while idle'),
  });
  shutdown.add('database', () => pool.end());
  return pool;
}

async function startGate(context: Context, parts: { pool: Pool; dashboard: Dashboard }): Promise<void> {
  const { logger, shutdown } = context;
  const gate = new SchemaGate({
    check: async () => schemaFit(await schemaVersion(parts.pool)),
    onFit: () => followChanges(context, parts.dashboard),
    onTooOld: (error) => {
      logger.fatal({ err: error }, error.message);
      void shutdown.request('schema', 1);
    },
    logger,
  });
  shutdown.add('schema', () => gate.stop());
  await gate.start();
}

function followChanges({ config, logger, shutdown }: Context, { feed }: Dashboard): void {
  feed.ring();
  const listener = listenForChanges({
    url: config.databaseUrl,
    applicationName: 'claude-nexus-dashboard-doorbell',
    onChange: () => feed.ring(),
    onError: (error) => logger.warn({ err: error }, 'the doorbell of the change feed is not connected'),
  });
  shutdown.add('doorbell', () => listener.close());
}
