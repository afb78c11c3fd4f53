import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestDatabase } from '@claude-nexus/database/testing';
import type { TestDatabase } from '@claude-nexus/database/testing';

import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { freePort, Program, ROOT, until } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';
import type { Held } from './probe.ts';

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));
const DASHBOARD_KEY = 'a-dashboard-key-for-the-soak';
/** Client key of the domain with a credential file. */
export const CLIENT_KEY = 'cnx-client-key-of-the-soak';
export const MANAGED = 'managed.example.com';

const SERVICES = ['proxy', 'dashboard'] as const;
type Service = (typeof SERVICES)[number];

/** What one service holds while nothing is going on. */
export interface Sample extends Held {
  readonly service: string;
  /** Buffers of the worker threads but for what is remembered. */
  readonly workerBuffers: number;
  /** Bytes the recorder says it keeps of earlier exchanges: a cache with a limit no soak of minutes reaches. */
  readonly remembered: number;
  /** Open file descriptors; undefined where there is no /proc. */
  readonly descriptors: number | undefined;
}

/** A gateway whose processes can be asked what they hold. */
export class SoakSite {
  readonly upstream: Upstream;
  readonly proxyUrl: string;
  readonly dashboard: DashboardClient;
  readonly #database: TestDatabase;
  readonly #folder: string;
  readonly #ports: Readonly<Record<string, number>>;
  readonly #programs: Readonly<Record<Service, Program>>;

  private constructor(parts: {
    upstream: Upstream;
    database: TestDatabase;
    folder: string;
    ports: Readonly<Record<string, number>>;
    programs: Readonly<Record<Service, Program>>;
  }) {
    this.upstream = parts.upstream;
    this.#database = parts.database;
    this.#folder = parts.folder;
    this.#ports = parts.ports;
    this.#programs = parts.programs;
    this.proxyUrl = `http://127.0.0.1:${parts.ports['proxy']}`;
    this.dashboard = new DashboardClient(`http://127.0.0.1:${parts.ports['dashboard']}`, DASHBOARD_KEY);
  }

  static async start(): Promise<SoakSite> {
    const [upstream, database] = [await startUpstream(), await createTestDatabase()];
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-soak-'));
    const credentials = path.join(folder, 'credentials');
    await mkdir(credentials);
    const file = { type: 'api_key', api_key: 'sk-ant-api03-soak', client_api_key: CLIENT_KEY };
    await writeFile(path.join(credentials, `${MANAGED}.credentials.json`), JSON.stringify(file), {
      mode: 0o600,
    });
    const names = SERVICES.flatMap((name) => [name, `${name} metrics`, `${name} probe`]);
    const numbers = await Promise.all(names.map(freePort));
    const ports = Object.fromEntries(names.map((name, index) => [name, numbers[index] ?? 0]));
    const start = (name: Service, env: Readonly<Record<string, string>>): Program =>
      new Program(['--expose-gc', '--import', PROBE, path.join(ROOT, 'services', name, 'src', 'main.ts')], {
        HOST: '127.0.0.1',
        PORT: String(ports[name]),
        METRICS_PORT: String(ports[`${name} metrics`]),
        SOAK_PROBE_PORT: String(ports[`${name} probe`]),
        ...env,
      });
    const programs = {
      proxy: start('proxy', {
        CLAUDE_API_BASE_URL: upstream.url,
        CREDENTIALS_DIR: credentials,
        DATABASE_URL: database.writerUrl,
        SPOOL_DIR: path.join(folder, 'spool'),
        PASSTHROUGH: 'allow',
        ACCOUNT_HASH_KEY: 'an-account-hash-key-for-the-soak',
      }),
      dashboard: start('dashboard', { DASHBOARD_API_KEY: DASHBOARD_KEY, DATABASE_URL: database.readerUrl }),
    };
    const site = new SoakSite({ upstream, database, folder, ports, programs });
    for (const name of SERVICES) await programs[name].ready(`http://127.0.0.1:${ports[name]}/health/ready`);
    return site;
  }

  /** Waits until nothing is going on any more. */
  async quiet(): Promise<void> {
    await until('the proxy to be idle and everything to be stored', async () => {
      const [inFlight, unshipped] = [
        await this.#proxyMetric('relay_inflight_exchanges'),
        await this.#proxyMetric('recorder_unshipped_exchanges'),
      ];
      return inFlight + unshipped === 0 ? true : undefined;
    });
  }

  async sample(): Promise<Sample[]> {
    return Promise.all(
      SERVICES.map(async (service) => {
        const answer = await fetch(`http://127.0.0.1:${this.#ports[`${service} probe`]}/`);
        const held = (await answer.json()) as Held;
        const descriptors = await readdir(`/proc/${this.#programs[service].pid}/fd`).catch(() => undefined);
        const remembered = service === 'proxy' ? await this.#proxyMetric('recorder_remembered_bytes') : 0;
        const workerBuffers = held.workerBuffers - remembered;
        return { service, ...held, workerBuffers, remembered, descriptors: descriptors?.length };
      }),
    );
  }

  async #proxyMetric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#ports['proxy metrics']}/metrics`)).text();
    const value = new RegExp(`^claude_nexus_${name}(?:\\{.*\\})? (.+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`the proxy has no metric ${name}`);
    return Number(value);
  }

  /** What the services have complained about. */
  get complaints(): string[] {
    return SERVICES.flatMap((name) => this.#programs[name].output.split('\n')).filter((line) =>
      /"level":"(error|fatal)"|MaxListenersExceeded|leak/i.test(line),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(SERVICES.map(async (name) => this.#programs[name].stop()));
    await this.upstream.close();
    await this.#database.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
