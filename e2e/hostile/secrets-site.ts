import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, withClient } from '@claude-nexus/database/testing';
import type { RequestList } from '@claude-nexus/api-contract';
import type { TestDatabase } from '@claude-nexus/database/testing';

import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { freePort, startService, until } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import { secret } from './secrets.ts';
import type { Program } from '../fixtures/program.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';
import type { Findings } from './secrets.ts';

export const DASHBOARD_KEY = secret('dashboardkey');
const LOGINS = { writer: 'nexus_canary_writer', reader: 'nexus_canary_reader' } as const;

type Environment = Readonly<Record<string, string>>;

/** A gateway whose configuration is full of marked secrets, and which writes down all it can. */
export class SecretsSite {
  readonly upstream: Upstream;
  readonly dashboard: DashboardClient;
  readonly proxyUrl: string;
  readonly dashboardUrl: string;
  readonly credentials: string;
  readonly spool: string;
  readonly #database: TestDatabase;
  readonly #folder: string;
  readonly #proxyEnv: Environment;
  readonly #dashboardEnv: Environment;
  readonly #findings: Findings;
  #proxy: Program | undefined;
  #dashboard: Program | undefined;

  private constructor(parts: {
    upstream: Upstream;
    database: TestDatabase;
    folder: string;
    ports: readonly number[];
    findings: Findings;
  }) {
    const { upstream, database, folder, ports, findings } = parts;
    this.upstream = upstream;
    this.#database = database;
    this.#folder = folder;
    this.#findings = findings;
    this.credentials = path.join(folder, 'credentials');
    this.spool = path.join(folder, 'spool');
    this.proxyUrl = `http://127.0.0.1:${ports[0]}`;
    this.dashboardUrl = `http://127.0.0.1:${ports[1]}`;
    this.dashboard = new DashboardClient(this.dashboardUrl, DASHBOARD_KEY);
    const common = {
      HOST: '127.0.0.1',
      LOG_LEVEL: 'trace',
      SLACK_WEBHOOK_URL: `https://hooks.slack.com/services/${secret('slack')}`,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secret('otel')}`,
      // Misspelt, and so warned about.
      DATABASE_URI: `postgresql://u:${secret('misspelt')}@h/d`,
    };
    this.#proxyEnv = {
      ...common,
      PORT: String(ports[0]),
      METRICS_PORT: String(ports[2]),
      CLAUDE_API_BASE_URL: upstream.url,
      CREDENTIALS_DIR: this.credentials,
      DATABASE_URL: this.#login(LOGINS.writer),
      SPOOL_DIR: this.spool,
      PASSTHROUGH: 'allow',
      ACCOUNT_HASH_KEY: secret('hashkey'),
    };
    this.#dashboardEnv = {
      ...common,
      PORT: String(ports[1]),
      METRICS_PORT: String(ports[3]),
      DASHBOARD_API_KEY: DASHBOARD_KEY,
      DATABASE_URL: this.#login(LOGINS.reader),
      PROXY_API_URL: `http://user:${secret('proxyurl')}@127.0.0.1:${ports[0]}`,
    };
  }

  static async start(findings: Findings): Promise<SecretsSite> {
    const upstream = await startUpstream();
    const database = await createTestDatabase();
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-secrets-'));
    const ports = await Promise.all(Array.from({ length: 4 }, freePort));
    const site = new SecretsSite({ upstream, database, folder, ports, findings });
    await mkdir(site.credentials);
    await withClient(database.superuserUrl, async (client) => {
      for (const [kind, login] of Object.entries(LOGINS)) {
        await client.query(`create role ${login} login password '${secret(login)}' in role nexus_${kind}`);
      }
    });
    return site;
  }

  async startProxy(change: Environment = {}): Promise<void> {
    this.#proxy = startService('proxy', { ...this.#proxyEnv, ...change });
    await this.#proxy.ready(`${this.proxyUrl}/health/ready`);
  }

  async startDashboard(): Promise<void> {
    this.#dashboard = startService('dashboard', this.#dashboardEnv);
    await this.#dashboard.ready(`${this.dashboardUrl}/health/ready`);
  }

  /** Ends a service, and keeps what it wrote. */
  async end(name: 'proxy' | 'dashboard', signal: NodeJS.Signals): Promise<void> {
    const program = name === 'proxy' ? this.#proxy : this.#dashboard;
    await program?.stop(signal);
    this.#findings.add(`log of the ${name}`, program?.output ?? '');
  }

  /** Starts a service that cannot run with these settings, and keeps what it says. */
  async startInVain(name: 'proxy' | 'dashboard', change: Environment): Promise<number | string> {
    const env = name === 'proxy' ? this.#proxyEnv : this.#dashboardEnv;
    const program = startService(name, {
      ...env,
      PORT: '0',
      METRICS_PORT: '0',
      SPOOL_DIR: `${this.spool}-2`,
      ...change,
    });
    const code = await program.ended();
    this.#findings.add(`log of a ${name} that ends at once`, program.output);
    return code;
  }

  get proxyLog(): string {
    return this.#proxy?.output ?? '';
  }

  async writeCredential(domain: string, content: unknown): Promise<void> {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(path.join(this.credentials, `${domain}.credentials.json`), text, { mode: 0o600 });
  }

  /** Removes the files whose name begins so. */
  async removeCredentials(start: string): Promise<void> {
    const names = (await readdir(this.credentials)).filter((name) => name.startsWith(start));
    for (const name of names) await rm(path.join(this.credentials, name));
  }

  /** Lets nobody connect to the database any more, and ends who is connected; or lets them again. */
  async setDatabase(state: 'up' | 'down'): Promise<void> {
    const name = new URL(this.#database.superuserUrl).pathname.slice(1);
    const maintenance = new URL(this.#database.superuserUrl);
    maintenance.pathname = '/postgres';
    await withClient(maintenance.href, async (client) => {
      await client.query(`alter database ${name} with allow_connections ${state === 'up'}`);
      if (state === 'down')
        await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
          name,
        ]);
    });
  }

  async collectSpool(): Promise<void> {
    for (const name of await readdir(this.spool, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) this.#findings.add('spool', await readFile(path.join(name.parentPath, name.name)));
    }
  }

  async collectMetrics(): Promise<void> {
    for (const [name, env] of [
      ['proxy', this.#proxyEnv],
      ['dashboard', this.#dashboardEnv],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${env['METRICS_PORT']}/metrics`);
      this.#findings.add(`metrics of the ${name}`, await answer.text());
    }
  }

  /** Every row of every table, and what the server knows of its clients. */
  async collectTables(): Promise<void> {
    await withClient(this.#database.superuserUrl, async (client) => {
      const tables = await client.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')
         union all select 'pg_stat_activity' union all select 'pg_settings'`,
      );
      for (const { name } of tables.rows) {
        const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
        this.#findings.add(`table ${name.replace(/_w\d+$/, '')}`, rows.map(({ row }) => row).join('\n'));
      }
    });
  }

  /** Whatever the API tells of every recorded exchange. */
  async collectApi(): Promise<number> {
    let count = 0;
    for (const target of [
      '/api/storage-stats',
      '/api/proxy',
      '/api/openapi.json',
      '/api/session',
      '/health',
    ]) {
      await this.#collect(target);
    }
    for (let cursor = ''; ;) {
      const page = JSON.parse(await this.#collect(`/api/requests?limit=200${cursor}`)) as RequestList;
      for (const { id } of page.requests) {
        for (const part of ['', '/request-body', '/response-body'])
          await this.#collect(`/api/requests/${id}${part}`);
        count += 1;
      }
      if (page.nextCursor === null) return count;
      cursor = `&cursor=${page.nextCursor}`;
    }
  }

  /** Waits until so many exchanges are stored and none is pending. */
  async untilStored(count: number): Promise<void> {
    await until(`${count} exchanges to be stored`, async () => {
      const { requests } = (await (
        await this.dashboard.fetch('/api/requests?limit=200')
      ).json()) as RequestList;
      return requests.length >= count && requests.every(({ outcome }) => outcome !== 'pending')
        ? true
        : undefined;
    });
  }

  async stop(): Promise<void> {
    await Promise.all([
      this.#proxy?.stop('SIGKILL'),
      this.#dashboard?.stop('SIGKILL'),
      this.upstream.close(),
    ]);
    await withClient(this.#database.superuserUrl, async (client) => {
      for (const login of Object.values(LOGINS)) await client.query(`drop role if exists ${login}`);
    });
    await this.#database.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #collect(target: string): Promise<string> {
    const answer = await this.dashboard.fetch(target);
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    this.#findings.add('dashboard API', `${[...answer.headers].join('\n')}\n${text}`);
    return text;
  }

  #login(user: string): string {
    const url = new URL(this.#database.superuserUrl);
    url.username = user;
    url.password = secret(user);
    return url.href;
  }
}
