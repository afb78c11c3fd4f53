import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createTestDatabase } from '@claude-nexus/database/testing';

import { freePort, startService, until } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Program } from '../fixtures/program.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';

/** Where the recordings go. */
export interface SiteDatabase {
  /** Superuser URL of a migrated database that nothing else uses. */
  readonly url: string;
  remove(): Promise<void>;
}

/** A database on the server that all of these share: for scenarios that leave the server alone. */
export async function sharedDatabase(): Promise<SiteDatabase> {
  const database = await createTestDatabase();
  return { url: database.superuserUrl, remove: async () => database.drop() };
}

type Environment = Readonly<Record<string, string>>;

/** One proxy: its settings, and the process that runs with them at the moment. */
export class ProxyProcess {
  readonly url: string;
  readonly spoolDir: string;
  readonly #env: Environment;
  #program: Program | undefined;

  constructor(env: Environment) {
    this.#env = env;
    this.url = `http://127.0.0.1:${env['PORT']}`;
    this.spoolDir = env['SPOOL_DIR'] ?? '';
  }

  /** Log of the current or last process. */
  get log(): string {
    return this.#program?.output ?? '';
  }

  get pid(): number {
    return this.#program?.pid ?? 0;
  }

  /** @param change settings that differ for this run */
  async start(change: Environment = {}): Promise<void> {
    this.#program = startService('proxy', { ...this.#env, ...change });
    await this.#program.ready(`${this.url}/health/ready`);
  }

  /** Starts a process that is expected to end by itself. @returns its exit code */
  async startInVain(change: Environment = {}): Promise<{ code: number | string; log: string }> {
    const program = startService('proxy', { ...this.#env, ...change });
    const code = await program.ended();
    return { code, log: program.output };
  }

  /** Sends a signal and waits for the end. @returns the exit code, or the signal that ended it */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    return (await this.#program?.stop(signal)) ?? '';
  }

  /** Sends a signal without waiting. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Status of a health endpoint; 0 when nobody answers. */
  async health(endpoint: 'ready' | 'live'): Promise<number> {
    const answer = await fetch(`${this.url}/health/${endpoint}`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status ?? 0;
  }

  /** Value of a metric without its prefix, summed over its label sets that contain `labels`. */
  async metric(name: string, labels = ''): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#env['METRICS_PORT']}/metrics`);
    let sum = 0;
    for (const line of (await answer.text()).split('\n')) {
      const [, found, set = '', value] = /^claude_nexus_(\w+?)(?:\{(.*)\})? ([-+\d.e]+)$/i.exec(line) ?? [];
      if (found === name && set.includes(labels)) sum += Number(value);
    }
    return sum;
  }

  /** Waits until a metric is what it should be. */
  async untilMetric(name: string, wanted: (value: number) => boolean, labels = ''): Promise<number> {
    return until(`metric ${name}${labels}`, async () => {
      const value = await this.metric(name, labels);
      return wanted(value) ? value : undefined;
    });
  }

  /** Everything ended is in the database. */
  async untilShipped(): Promise<void> {
    await this.untilMetric('recorder_unshipped_exchanges', (value) => value === 0);
  }

  /** Segment files, oldest first, with their sizes. */
  async segments(): Promise<{ file: string; size: number }[]> {
    const names = (await readdir(this.spoolDir)).filter((name) => name.endsWith('.segment'));
    const files = names.toSorted().map((name) => path.join(this.spoolDir, name));
    return Promise.all(files.map(async (file) => ({ file, size: (await stat(file)).size })));
  }

  /** Names in the quarantine folder. */
  async quarantined(): Promise<string[]> {
    const names = await readdir(path.join(this.spoolDir, 'quarantine')).catch(() => []);
    return names.filter((name) => name.endsWith('.json'));
  }
}

/** What differs from one proxy on a database of its own. */
export interface SiteOptions<Database extends SiteDatabase> {
  /** Removed together with the site. */
  readonly database: Database;
  readonly proxies?: number;
  readonly proxyEnv?: Environment;
  /** Where the proxies believe the database to be, e.g. behind a relay that fails. */
  readonly route?: (databaseUrl: string) => Promise<string>;
  /** Default: a temporary folder per proxy. */
  readonly spoolDir?: string;
}

type SiteParts = Pick<Site, 'upstream' | 'database' | 'folder' | 'proxies'>;

/** Upstream, database and proxies of one scenario; everything in processes of their own but the upstream. */
export class Site<Database extends SiteDatabase = SiteDatabase> {
  readonly upstream: Upstream;
  readonly database: Database;
  readonly folder: string;
  readonly proxies: readonly ProxyProcess[];

  private constructor(parts: Omit<SiteParts, 'database'> & { database: Database }) {
    this.upstream = parts.upstream;
    this.database = parts.database;
    this.folder = parts.folder;
    this.proxies = parts.proxies;
  }

  /** Prepares everything; the proxies are still to be started. */
  static async prepare<Database extends SiteDatabase>(
    options: SiteOptions<Database>,
  ): Promise<Site<Database>> {
    const upstream = await startUpstream();
    const { database } = options;
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-faults-'));
    const credentials = path.join(folder, 'credentials');
    await mkdir(credentials);
    const databaseUrl = (await options.route?.(database.url)) ?? database.url;
    const proxies: ProxyProcess[] = [];
    for (let index = 0; index < (options.proxies ?? 1); index += 1) {
      proxies.push(
        new ProxyProcess({
          HOST: '127.0.0.1',
          PORT: String(await freePort()),
          METRICS_PORT: String(await freePort()),
          CLAUDE_API_BASE_URL: upstream.url,
          CREDENTIALS_DIR: credentials,
          DATABASE_URL: databaseUrl,
          SPOOL_DIR: options.spoolDir ?? path.join(folder, `spool-${index}`),
          PASSTHROUGH: 'allow',
          ACCOUNT_HASH_KEY: 'an-account-hash-key-for-tests',
          ...options.proxyEnv,
        }),
      );
    }
    return new Site<Database>({ upstream, database, folder, proxies });
  }

  static async start<Database extends SiteDatabase>(options: SiteOptions<Database>): Promise<Site<Database>> {
    const site = await Site.prepare(options);
    try {
      await Promise.all(site.proxies.map(async (proxy) => proxy.start()));
    } catch (error) {
      await site.stop();
      throw error;
    }
    return site;
  }

  /** The only proxy, or the first one. */
  get proxy(): ProxyProcess {
    const [proxy] = this.proxies;
    if (proxy === undefined) throw new Error('this site has no proxy');
    return proxy;
  }

  get urls(): string[] {
    return this.proxies.map((proxy) => proxy.url);
  }

  /** Ends the proxies. */
  async end(): Promise<void> {
    await Promise.all(this.proxies.map(async (proxy) => proxy.stop('SIGKILL')));
  }

  async stop(): Promise<void> {
    await this.end();
    await this.upstream.close();
    await this.database.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
