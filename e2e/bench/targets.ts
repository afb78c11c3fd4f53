import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { openPool, storageStats, tokenTotals } from '@claude-nexus/database';
import { createTestDatabase } from '@claude-nexus/database/testing';

import { freePort, ROOT, until } from '../fixtures/program.ts';
import type { ProcessUse } from './cpu-probe.ts';
import { cpuOfTree, postmasterPid, rssOfTree } from './process-use.ts';
import type { StandInNotice } from './stand-in.ts';

/** Something a client can send its requests to. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** What its processes have used so far; undefined where that cannot be told. */
  use(): Promise<ProcessUse | undefined>;
  /** The recording proxy only. */
  readonly recording?: Recording;
  stop(): Promise<void>;
}

/** The database behind the recording proxy. */
export interface Recording {
  /** Requests that are in the database with their end, and counted in the totals. */
  counted(): Promise<number>;
  /** CPU microseconds of all PostgreSQL processes so far; undefined where that cannot be told. */
  databaseCpuUs(): Promise<number | undefined>;
  /** Bytes the proxy says it keeps of earlier exchanges; up to a second old. */
  rememberedBytes(): Promise<number>;
  /** Bytes on disk by table, indexes included. */
  storedBytes(): Promise<ReadonlyMap<string, number>>;
}

const CPU_PROBE = new URL('./cpu-probe.ts', import.meta.url).href;

/** The stand-in for the Messages API. */
export interface StandIn extends Target {
  onNotice(listener: (notice: StandInNotice) => void): void;
}

export async function startStandIn(): Promise<StandIn> {
  const child = fork(new URL('./stand-in.ts', import.meta.url));
  const [port] = (await once(child, 'message')) as [number];
  return {
    name: 'direct',
    port,
    use: () => Promise.resolve(undefined),
    onNotice: (listener) => child.on('message', (message) => listener(message as StandInNotice)),
    stop: () => end(child),
  };
}

export async function startBareRelay(upstream: string): Promise<Target> {
  const child = fork(new URL('./bare-relay.ts', import.meta.url), [upstream], {
    execArgv: ['--import', CPU_PROBE],
  });
  const [port] = (await once(child, 'message')) as [number];
  return { name: 'bare relay', port, use: () => askUse(child), stop: () => end(child) };
}

/** nginx with streaming and keep-alive as a gateway would set them; undefined where it is not installed. */
export async function startNginx(upstreamPort: number): Promise<Target | undefined> {
  if (!(await isInstalled('nginx'))) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-bench-nginx-'));
  const port = await freePort();
  await writeFile(path.join(folder, 'nginx.conf'), nginxConfig({ folder, port, upstreamPort }));
  const child = spawn('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { stdio: 'ignore' });
  await until('nginx', () => answers(port));
  const pid = child.pid ?? 0;
  return {
    name: 'nginx',
    port,
    use: async () => {
      const cpuUs = await cpuOfTree(pid);
      return cpuUs === undefined ? undefined : { cpuUs, rssBytes: await rssOfTree(pid), threads: {} };
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The recording proxy. */
export interface Nexus extends Target {
  readonly recording: Recording;
}

/** The proxy with storage on: spool, worker thread, a PostgreSQL of its own. Its warnings go to standard error. */
export async function startNexus(upstream: string, nodeFlags: readonly string[] = []): Promise<Nexus> {
  const database = await createTestDatabase();
  const postmaster = await postmasterPid();
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-bench-'));
  await mkdir(path.join(folder, 'credentials'));
  const port = await freePort();
  const metricsPort = await freePort();
  const child = fork(path.join(ROOT, 'services/proxy/src/main.ts'), {
    execArgv: ['--import', CPU_PROBE, ...nodeFlags],
    stdio: ['ignore', process.stderr, 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],

      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      CLAUDE_API_BASE_URL: upstream,
      CREDENTIALS_DIR: path.join(folder, 'credentials'),
      DATABASE_URL: database.writerUrl,
      SPOOL_DIR: path.join(folder, 'spool'),
      PASSTHROUGH: 'allow',
      ACCOUNT_HASH_KEY: 'an-account-hash-key-for-the-benchmark',
      LOG_LEVEL: 'warn',
    },
  });
  await until('the proxy', () => answers(port));
  const pool = { max: 1, applicationName: 'claude-nexus-bench', statementTimeoutMs: 60_000 };
  const writer = openPool({ ...pool, url: database.writerUrl, role: 'nexus_writer' });
  const reader = openPool({ ...pool, url: database.readerUrl, role: 'nexus_reader' });
  return {
    name: 'ClaudeNexus',
    port,
    use: () => askUse(child),
    recording: {
      counted: async () => (await tokenTotals(writer, {})).requests,
      databaseCpuUs: () => cpuOfTree(postmaster),
      rememberedBytes: () => rememberedBytes(metricsPort),
      storedBytes: async () => {
        const { tables } = await storageStats(reader, { from: 0, to: 0 });
        return new Map(tables.map(({ table, bytes }) => [table, bytes]));
      },
    },
    stop: async () => {
      await end(child);
      await Promise.all([writer.end(), reader.end()]);
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function rememberedBytes(metricsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^claude_nexus_recorder_remembered_bytes(?:\{.*\})? (.+)$/m.exec(text)?.[1]);
}

async function askUse(child: ChildProcess): Promise<ProcessUse> {
  child.send('use');
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ use?: ProcessUse }];
    if (message.use !== undefined) return message.use;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

async function answers(port: number): Promise<true | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer === undefined ? undefined : true;
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const found = await access(path.join(folder, program)).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

function nginxConfig(options: { folder: string; port: number; upstreamPort: number }): string {
  const { folder, port, upstreamPort } = options;
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; client_max_body_size 40m; keepalive_requests 1000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream api { server 127.0.0.1:${upstreamPort}; keepalive 1024; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering off; proxy_read_timeout 600s;
    }
  }
}
`;
}
