import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { processStart } from './processes.ts';
import { startEmbedded } from './start-embedded.ts';

/** A process that ended may stay in the table until somebody waits for it. */
const isRunning = async (pid: number): Promise<boolean> => (await processStart(pid)) !== undefined;

const isRoot = process.getuid?.() === 0;

let parent: string;
let dataDir: string;

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'claude-nexus-embedded-'));
  // As mkdtemp leaves it (0700), nobody else gets in; most tests want the ordinary case.
  await chmod(parent, 0o755);
  dataDir = path.join(parent, 'data');
});
afterEach(async () => {
  const record = await readFile(path.join(dataDir, 'cluster-location.json'), 'utf8').catch(() => undefined);
  if (record !== undefined) {
    const { cluster } = JSON.parse(record) as { cluster: string };
    await rm(path.dirname(cluster), { recursive: true, force: true });
  }
  await rm(parent, { recursive: true, force: true });
});

const start = async (options: { log?: (line: string) => unknown } = {}) =>
  startEmbedded({ dataDir, durable: false, ...options });

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a server in a process of its own, which then ends as told; gives what it printed. */
async function startElsewhere(ending: 'exit' | 'stay', env: Record<string, string> = {}) {
  const module = new URL('start-embedded.ts', import.meta.url).href;
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(module)});
    const server = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, durable: false });
    process.stdout.write(JSON.stringify({ pid: server.pid, url: server.url }) + '\\n');
    ${ending === 'exit' ? 'process.exit(0);' : "process.stdin.on('end', async () => { await server.stop(); process.exit(0); }).resume();"}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, ...(JSON.parse(line) as { pid: number; url: string }) };
}

describe('startEmbedded', () => {
  it('creates a database, keeps it over a restart, and stops what it started', async () => {
    const logs: string[] = [];
    const log = (line: string): unknown => logs.push(line);
    const first = await startEmbedded({ dataDir, log });
    // Durable, unless told otherwise.
    const settings = `select distinct setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit')`;
    expect(await ask(first.url, settings)).toEqual([{ setting: 'on' }]);
    await ask(first.url, 'create table kept (x int); insert into kept values (42)');
    await first.stop();
    await first.stop();
    await first.exited;
    expect(await isRunning(first.pid)).toBe(false);
    const second = await start({ log });
    expect(await ask(second.url, 'select x from kept')).toEqual([{ x: 42 }]);
    await second.stop();
    expect(logs.filter((line) => line === 'creating the database')).toHaveLength(1);
    const password = new URL(second.url).password;
    expect(password.length).toBeGreaterThan(20);
    expect(logs.join('\n')).not.toContain(password);
    const written = await readFile(path.join(dataDir, 'postgres.log'), 'utf8');
    expect(written).toContain('ready to accept connections');
    expect(written).not.toContain(password);
  });

  it('listens on loopback with a password only, and keeps its secret to this user', async () => {
    const server = await start();
    const settings = `select name, setting from pg_settings where name = any (array['listen_addresses',
      'unix_socket_directories', 'password_encryption', 'fsync', 'server_encoding']) order by 1`;
    expect(await ask(server.url, settings)).toEqual([
      { name: 'fsync', setting: 'off' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'password_encryption', setting: 'scram-sha-256' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
    expect(await ask(server.url, 'select distinct auth_method from pg_hba_file_rules')).toEqual([
      { auth_method: 'scram-sha-256' },
    ]);
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    for (const name of ['superuser-password', 'postgres.log', 'owner.lock']) {
      expect([name, (await stat(path.join(dataDir, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    await server.stop();
    expect(await readdir(dataDir)).not.toContain('owner.lock');
  });

  it('does not take a data directory a live process has open', async () => {
    const { child, pid } = await startElsewhere('stay');
    await expect(start()).rejects.toMatchObject({ code: 'NEXUS_DATA_DIR_IN_USE', ownerPid: child.pid });
    await expect(start()).rejects.toThrow(`data directory ${dataDir} is in use by process ${child.pid}`);
    expect(await isRunning(pid)).toBe(true);
    child.stdin.end();
    await once(child, 'exit');
    expect(await isRunning(pid)).toBe(false);
  });

  it('stops a server whose owner died, and takes over', async () => {
    const { child, pid } = await startElsewhere('exit');
    if (child.exitCode === null) await once(child, 'exit');
    expect(await isRunning(pid)).toBe(true);
    const logs: string[] = [];
    const server = await start({ log: (line) => logs.push(line) });
    expect(await isRunning(pid)).toBe(false);
    expect(logs).toContain(`stopping PostgreSQL (process ${pid}) left over from an earlier run`);
    await server.stop();
  });

  it('is not deceived by the lock and the server file of processes long gone', async () => {
    await (await start()).stop();
    await writeFile(
      path.join(dataDir, 'owner.lock'),
      JSON.stringify({ pid: process.pid, start: 'another life', token: 'x' }),
    );
    await (await start()).stop();
    await writeFile(path.join(dataDir, 'owner.lock'), 'half a rec');
    const server = await start();
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  it('lets one of several starts at once have the data directory', async () => {
    const outcomes = await Promise.allSettled([start(), start(), start()]);
    const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(servers).toHaveLength(1);
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    expect(refused).toEqual(
      [1, 2].map(() => expect.objectContaining({ code: 'NEXUS_DATA_DIR_IN_USE' }) as unknown),
    );
    await servers[0]?.stop();
  });

  it('names a data directory of another version, and does not start empty where its database has gone', async () => {
    await (await start()).stop();
    const cluster = path.join(dataDir, 'cluster');
    await writeFile(path.join(cluster, 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toMatchObject({ code: 'NEXUS_DATA_DIR_VERSION', found: '12' });
    expect(await readdir(dataDir)).not.toContain('owner.lock');
    await rm(cluster, { recursive: true });
    await expect(start()).rejects.toMatchObject({ code: 'NEXUS_DATA_DIR_DAMAGED' });
  });

  it('says why when the data directory cannot be made', async () => {
    await writeFile(path.join(parent, 'file'), '');
    dataDir = path.join(parent, 'file', 'data');
    await expect(start()).rejects.toMatchObject({ code: 'NEXUS_DATA_DIR_UNWRITABLE', dataDir });
    dataDir = '/proc/claude-nexus';
    await expect(start()).rejects.toThrow('data directory /proc/claude-nexus cannot be written');
  });

  it('gives the port that was asked for, or says that it is taken', async () => {
    const first = await start();
    const other = path.join(parent, 'other');
    await expect(startEmbedded({ dataDir: other, durable: false, port: first.port })).rejects.toMatchObject({
      code: 'NEXUS_EMBEDDED_POSTGRES',
      message: expect.stringContaining('Address already in use') as string,
    });
    await first.stop();
    const second = await startEmbedded({ dataDir: other, durable: false, port: first.port });
    expect(second.port).toBe(first.port);
    await second.stop();
  });

  it.runIf(isRoot)(
    'as root puts the cluster elsewhere when its user cannot reach the data directory',
    async () => {
      await chmod(parent, 0o700);
      const first = await start();
      await ask(first.url, 'create table kept (x int)');
      await first.stop();
      const { cluster } = JSON.parse(await readFile(path.join(dataDir, 'cluster-location.json'), 'utf8')) as {
        cluster: string;
      };
      expect(cluster.startsWith(parent)).toBe(false);
      expect((await stat(cluster)).mode & 0o777).toBe(0o700);
      const second = await start();
      expect(await ask(second.url, 'select * from kept')).toEqual([]);
      expect(await ask(second.url, 'show data_directory')).toEqual([{ data_directory: cluster }]);
      await second.stop();
    },
  );

  it('survives several first starts at once where nothing is installed yet', async () => {
    const dirs = ['a', 'b', 'c'].map((name) => path.join(parent, name));
    for (const dir of dirs) await mkdir(dir);
    const servers = await Promise.all(
      dirs.map(async (dir) => startEmbedded({ dataDir: dir, durable: false })),
    );
    for (const server of servers) expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await Promise.all(servers.map(async (server) => server.stop()));
  });
});
