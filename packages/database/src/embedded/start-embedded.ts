import { once } from 'node:events';
import { open, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';

import { SUPERUSER, makeDataDir, openCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { ensureDatabase } from './ensure-database.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { serverIdentity, spawnAs } from './identity.ts';
import type { Identity } from './identity.ts';
import { installation } from './installation.ts';
import { lockDataDir } from './owner-lock.ts';
import { readPostmaster, stopOrphan, stopPostmaster } from './postmaster.ts';
import { serverSettings } from './settings.ts';

const DATABASE = 'claude_nexus';
const PORT_ATTEMPTS = 5;

/** Where and how to run the server. */
export interface EmbeddedOptions {
  /** Created if missing; holds the cluster, or the record of where it is, and its password. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 (the default) takes a free one. */
  readonly port?: number;
  /** False gives up crash safety for speed: tests only. Default true. */
  readonly durable?: boolean;
  /** Receives one line per step that takes time. Never a password. */
  readonly log?: (message: string) => void;
}

/** A running server. */
export interface EmbeddedServer {
  /** Connection URL of the superuser, with its password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Disconnects all clients, writes a checkpoint, waits for the end. May be called twice. */
  stop(): Promise<void>;
}

interface Launch {
  readonly postgres: string;
  readonly cluster: Cluster;
  readonly identity: Identity | undefined;
  readonly logFile: string;
  readonly settings: Record<string, string>;
}

/**
 * Starts PostgreSQL on a data directory, creating the cluster first if there is none. Works as root (the
 * server then runs as an unprivileged user) and as an ordinary user.
 *
 * @throws DataDirInUseError, DataDirUnwritableError, DataDirVersionError, DataDirDamagedError,
 * EmbeddedPostgresError
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const dataDir = path.resolve(options.dataDir);
  const log = options.log ?? (() => undefined);
  const identity = serverIdentity();
  await makeDataDir(dataDir, identity);
  const lock = await lockDataDir(dataDir);
  try {
    const programs = await installation({ copy: identity !== undefined, log });
    const cluster = await openCluster({
      dataDir,
      identity,
      programs,
      durable: options.durable ?? true,
      log,
    });
    await stopOrphan(cluster.directory, { dataDir, log });
    const { child, port } = await launchOnPort(options, {
      postgres: programs.postgres,
      cluster,
      identity,
      logFile: path.join(dataDir, 'postgres.log'),
    });
    const exited =
      child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
    const pid = child.pid ?? 0;
    const stop = async (): Promise<void> => {
      // Once it has ended, its process id may belong to something else.
      if (child.exitCode === null && child.signalCode === null) await stopPostmaster(pid);
      await exited;
      await lock.release();
    };
    const base = `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}`;
    try {
      await ensureDatabase(`${base}/postgres`, DATABASE);
    } catch (error) {
      await stop();
      throw error;
    }
    return { url: `${base}/${DATABASE}`, port, pid, exited: exited.then(() => undefined), stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** A free port can be taken by somebody else before the server binds it: then another one is tried. */
async function launchOnPort(
  options: EmbeddedOptions,
  launch: Omit<Launch, 'settings'>,
): Promise<{ child: ChildProcess; port: number }> {
  const fixed = options.port !== undefined && options.port !== 0;
  for (let attempt = 1; ; attempt += 1) {
    const port = fixed ? (options.port ?? 0) : await freePort();
    const settings = serverSettings({ port, durable: options.durable ?? true });
    try {
      return { child: await launchServer({ ...launch, settings }), port };
    } catch (error) {
      const portTaken = error instanceof EmbeddedPostgresError && error.message.includes('could not bind');
      if (fixed || !portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Starts the server in a session of its own: Ctrl-C in a terminal reaches a whole process group, and the
 * database has to outlive the services that drain into it.
 */
async function launchServer(launch: Launch): Promise<ChildProcess> {
  const { postgres, cluster, identity, logFile, settings } = launch;
  await rename(logFile, `${logFile}.1`).catch(() => undefined);
  const output = await open(logFile, 'a', 0o600);
  try {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawnAs(identity, [postgres, '-D', cluster.directory, ...args], {
      stdio: ['ignore', output.fd, output.fd],
      detached: true,
    });
    await waitUntilReady(child, { cluster, logFile });
    return child;
  } finally {
    await output.close();
  }
}

/** The server writes its state to postmaster.pid; recovery after a crash may take minutes. */
async function waitUntilReady(
  child: ChildProcess,
  context: { cluster: Cluster; logFile: string },
): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (;;) {
    const state = await readPostmaster(context.cluster.directory);
    if (state !== undefined && state.pid === child.pid && state.status === 'ready') return;
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) {
      const said = complaints(await readFile(context.logFile, 'utf8').catch(() => ''));
      const reason = said || (failure?.message ?? `exit code ${child.exitCode}`);
      throw new EmbeddedPostgresError(`PostgreSQL does not start: ${reason}`, { cause: failure });
    }
    await delay(10);
  }
}

/** What a server that does not start says is wrong, without the rest of its log. */
function complaints(log: string): string {
  return log
    .split('\n')
    .filter((line) => /could not|FATAL|PANIC/v.test(line))
    .slice(-4)
    .map((line) => line.replace(/^.*?\b(?:LOG|WARNING|FATAL|PANIC): +/v, ''))
    .join('; ');
}
