import path from 'node:path';

import { readyText } from './banner.ts';
import { makeDataDir } from './data-dir.ts';
import { EmbeddedDatabase, prepareEmbedded, prepareExternal } from './database.ts';
import { StartCancelledError } from './errors.ts';
import { freePort, requirePort } from './ports.ts';
import { loadSecrets } from './secrets.ts';
import { Service } from './service.ts';
import type { GatewayDatabase } from './database.ts';
import type { Secrets } from './secrets.ts';
import type { ServiceSpec } from './service.ts';
import type { StartSettings } from './settings.ts';

const STOP_MARGIN_MS = 30_000;

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly settings: StartSettings;
  /** The environment the services inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Root of the repository. */
  readonly root: string;
  readonly report: (line: string) => void;
}

/** Proxy, dashboard and database of one data directory, started and stopped together. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #services: Service[] = [];
  #database: EmbeddedDatabase | undefined;
  #stopping = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** True from the first `stop` or `kill` on: errors of a start that is cut short by it mean nothing. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Starts everything. @returns the text to print once it is ready
   *
   * @throws NexusError or an error of the database package: one line, already fit for a person
   */
  async start(): Promise<string> {
    const { settings } = this.#options;
    await requirePort(settings.proxyPort, '--proxy-port');
    await requirePort(settings.dashboardPort, '--dashboard-port');
    await makeDataDir(settings.dataDir);
    const database = await this.#prepareDatabase();
    const secrets = await loadSecrets(settings.dataDir);
    const metrics = { proxy: await freePort(), dashboard: await freePort() };
    const key = settings.dashboardKey ?? secrets.dashboardKey;
    const specs = [
      this.#proxySpec(database, { secrets, metricsPort: metrics.proxy }),
      this.#dashboardSpec(database, { key, metricsPort: metrics.dashboard }),
    ];
    this.#requireRunning();
    for (const spec of specs) this.#services.push(new Service(spec));
    await Promise.all(this.#services.map((service) => service.start()));
    this.#requireRunning();
    return readyText({
      proxyUrl: address(settings.proxyPort),
      dashboardUrl: address(settings.dashboardPort),
      dashboardKey: key,
      dataDir: settings.dataDir,
      database: database.location,
      metricsUrls: Object.values(metrics).map((port) => `${address(port)}/metrics`),
    });
  }

  /** Drains the services, the proxy first in importance but all at once, then stops the database. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const deadlineMs = this.#options.settings.drainTimeout + STOP_MARGIN_MS;
    await Promise.all(this.#services.map((service) => service.stop(deadlineMs)));
    await this.#database?.stop();
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const service of this.#services) service.kill();
    this.#database?.kill();
  }

  #requireRunning(): void {
    if (this.#stopping) throw new StartCancelledError('stopped while starting');
  }

  async #prepareDatabase(): Promise<GatewayDatabase> {
    const { settings, report } = this.#options;
    const { databaseUrl, dataDir } = settings;
    if (databaseUrl !== undefined) {
      const secrets = await loadSecrets(dataDir);
      return prepareExternal(databaseUrl, { settings, secrets, report });
    }
    this.#database = new EmbeddedDatabase({ dataDir, report });
    const url = await this.#database.start();
    this.#requireRunning();
    const secrets = await loadSecrets(dataDir);
    return prepareEmbedded(url, { settings, secrets, report });
  }

  #proxySpec(database: GatewayDatabase, own: { secrets: Secrets; metricsPort: number }): ServiceSpec {
    const { settings } = this.#options;
    return this.#spec('proxy', settings.proxyPort, {
      METRICS_PORT: String(own.metricsPort),
      DATABASE_URL: database.writerUrl,
      CLAUDE_API_BASE_URL: settings.upstream,
      PASSTHROUGH: settings.passthrough,
      ACCOUNT_HASH_KEY: settings.accountHashKey ?? own.secrets.accountHashKey,
      SPOOL_DIR: path.join(settings.dataDir, 'spool'),
      DRAIN_TIMEOUT: `${settings.drainTimeout}ms`,
    });
  }

  #dashboardSpec(database: GatewayDatabase, own: { key: string; metricsPort: number }): ServiceSpec {
    const { settings } = this.#options;
    return this.#spec('dashboard', settings.dashboardPort, {
      METRICS_PORT: String(own.metricsPort),
      DATABASE_URL: database.readerUrl,
      DASHBOARD_API_KEY: own.key,
      PROXY_API_URL: address(settings.proxyPort),
    });
  }

  #spec(name: string, port: number, env: Record<string, string>): ServiceSpec {
    const { env: inherited, root, settings, report } = this.#options;
    return {
      name,
      args: [path.join(root, 'services', name, 'src', 'main.ts')],
      cwd: root,
      env: { ...withoutStartNames(inherited), HOST: '127.0.0.1', PORT: String(port), ...env },
      logFile: path.join(settings.dataDir, `${name}.log`),
      readyUrl: `${address(port)}/health/ready`,
      report,
    };
  }
}

/** Each service gets only its own secrets, and no name that only `npm start` knows. */
function withoutStartNames(env: GatewayOptions['env']): Record<string, string | undefined> {
  const own = new Set([
    'PROXY_PORT',
    'DASHBOARD_PORT',
    'DATA_DIR',
    'DEMO',
    'DATABASE_URL',
    'MIGRATION_DATABASE_URL',
    'DASHBOARD_API_KEY',
    'ACCOUNT_HASH_KEY',
  ]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.has(name)));
}

function address(port: number): string {
  return `http://127.0.0.1:${port}`;
}
