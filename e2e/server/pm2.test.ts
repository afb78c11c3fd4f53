import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { withClient } from '@claude-nexus/database/testing';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { freePort, Program } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';
import { seconds } from './compose-file.ts';
import { startEmptyDatabase } from './database.ts';
import type { EmptyDatabase } from './database.ts';
import { loginRights } from './login-rights.ts';

/** An application of the PM2 file. */
interface App {
  readonly name: string;
  readonly cwd: string;
  readonly script: string;
  readonly interpreter: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly kill_timeout: number;
}

const { apps } = createRequire(import.meta.url)('../../ecosystem.config.cjs') as { apps: App[] };
const KEY = 'marked-key-of-the-dashboard-0123';

function distinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

describe('ecosystem.config.cjs', () => {
  it('runs two proxies and a dashboard on ports and spools of their own', () => {
    expect(apps.map(({ name }) => name)).toEqual(['nexus-proxy-1', 'nexus-proxy-2', 'nexus-dashboard']);
    expect(distinct(apps.flatMap(({ env }) => [env['PORT'], env['METRICS_PORT']]))).toBe(true);
    const spools = apps.map(({ env }) => env['SPOOL_DIR']);
    expect(distinct(spools)).toBe(true);
    expect(spools.filter((spool) => spool === undefined)).toHaveLength(1);
  });

  it('waits longer for a proxy than its streams may take', () => {
    for (const { env, kill_timeout: killTimeout } of apps.slice(0, 2)) {
      expect(killTimeout).toBeGreaterThanOrEqual((seconds(env['DRAIN_TIMEOUT'] ?? '') + 30) * 1000);
    }
  });

  it('starts the Node the programs need, whatever PM2 runs on', () => {
    for (const { script, interpreter } of apps) {
      expect(interpreter).toBe('none');
      expect(spawnSync(script, ['--version'], { encoding: 'utf8' }).stdout.trim()).toBe(process.version);
    }
  });
});

describe('the applications of ecosystem.config.cjs', () => {
  const started: Program[] = [];
  let upstream: Upstream;
  let database: EmptyDatabase;
  let folder: string;
  let proxyUrls: string[];
  let dashboard: DashboardClient;
  let urls: { owner: string; proxy: string; dashboard: string };

  /** The application with the folder and the ports of this test. */
  async function start(app: App): Promise<string> {
    const port = await freePort();
    const args = app.args.map((text) => text.replace('--env-file=', `--env-file=${folder}/`));
    expect(args).not.toEqual(app.args);
    const { SPOOL_DIR: spool, ...env } = app.env;
    const program = new Program(args, {
      ...env,
      PORT: String(port),
      METRICS_PORT: '0',
      ...(spool === undefined ? {} : { SPOOL_DIR: path.join(folder, spool) }),
    });
    started.push(program);
    const url = `http://127.0.0.1:${port}`;
    await program.ready(`${url}/health/ready`);
    return url;
  }

  async function writeSettings(service: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(path.join(folder, `.env.${service}`), lines.join(''), { mode: 0o600 });
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'nexus-pm2-'));
    await mkdir(path.join(folder, 'credentials'));
    upstream = await startUpstream();
    database = await startEmptyDatabase();
    const url = (login: string): string => `postgresql://${login}@${database.address}/nexus`;
    await withClient(url(`postgres:${database.password}`), async (client) => {
      await client.query("create role owner login createrole password 'marked-password-of-the-owner'");
      await client.query('alter database nexus owner to owner');
    });
    urls = {
      owner: url('owner:marked-password-of-the-owner'),
      proxy: url('nexus_proxy:marked-password-of-the-proxy'),
      dashboard: url('nexus_dashboard:marked-password-of-the-dashboard'),
    };
    await writeSettings('migrate', {
      MIGRATION_DATABASE_URL: urls.owner,
      PROXY_DATABASE_URL: urls.proxy,
      DASHBOARD_DATABASE_URL: urls.dashboard,
    });
    await writeSettings('proxy', {
      DATABASE_URL: urls.proxy,
      PASSTHROUGH: 'allow',
      ACCOUNT_HASH_KEY: 'an-account-hash-key-for-tests',
      CLAUDE_API_BASE_URL: upstream.url,
      CREDENTIALS_DIR: path.join(folder, 'credentials'),
    });
    await writeSettings('dashboard', { DATABASE_URL: urls.dashboard, DASHBOARD_API_KEY: KEY });
    const migrate = new Program([`--env-file=${folder}/.env.migrate`, 'scripts/prepare-database.ts'], {});
    if ((await migrate.ended()) !== 0) throw new Error(migrate.output);
    const [first, second, last] = apps as [App, App, App];
    proxyUrls = [await start(first), await start(second)];
    dashboard = new DashboardClient(await start(last), KEY);
  });
  afterAll(async () => {
    await Promise.all(started.map(async (program) => program.stop()));
    await Promise.all([upstream.close(), database.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('record what both proxies serve in one database', async () => {
    const [first = '', second = ''] = proxyUrls;
    const { sdk, session } = sessionClient(first);
    await sdk.messages.create(prompt('to the first'));
    await sessionClient(second, { session }).sdk.messages.create(prompt('to the second'));
    const rows = await dashboard.settledRows(session, 2);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['completed', 'completed']);
    const stats = await dashboard.storageStats();
    expect(stats.recorders).toHaveLength(2);
    expect(started.map(({ output }) => output).join('')).not.toMatch(/marked|"level":"(?:warn|error|fatal)"/);
  });

  it('let the proxies read no content and the dashboard change nothing', async () => {
    expect(await loginRights(urls.proxy)).toMatchObject({ reads: [], changes: [] });
    const reader = await loginRights(urls.dashboard);
    expect(reader).toMatchObject({ reads: reader.tables, changes: [], executes: [] });
  });
});
