import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { DataDirInUseError, EmbeddedPostgresError } from './errors.ts';
import { CLUSTER_NAME } from './settings.ts';
import { commandLine, isAlive, waitForExit } from './processes.ts';

const FAST_MS = 30_000;
const IMMEDIATE_MS = 10_000;

interface PostmasterFile {
  readonly pid: number;
  readonly status: string;
}

/** @returns what the server writes about itself; `undefined` if it has not (or was stopped cleanly). */
export async function readPostmaster(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(path.join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? { pid, status: (lines[7] ?? '').trim() } : undefined;
}

/**
 * Stops a server: fast shutdown (clients are disconnected, a checkpoint is written), then immediate
 * (recovery on the next start) if it takes too long.
 */
export async function stopPostmaster(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  if (await waitForExit(pid, FAST_MS)) return;
  process.kill(pid, 'SIGQUIT');
  if (await waitForExit(pid, IMMEDIATE_MS)) return;
  throw new EmbeddedPostgresError(`PostgreSQL (process ${pid}) does not stop`);
}

/**
 * Stops a server that outlived the process which started it (killed, or its terminal closed).
 *
 * @throws DataDirInUseError when the process is a PostgreSQL server on this cluster, but not one of ours
 */
export async function stopOrphan(
  cluster: string,
  options: { dataDir: string; log: (message: string) => void },
): Promise<void> {
  const found = await readPostmaster(cluster);
  if (found === undefined || !isAlive(found.pid)) return;
  const command = await commandLine(found.pid);
  // The id may belong to something else by now; PostgreSQL itself then removes the stale file.
  if (!command.includes(cluster)) return;
  if (!command.includes(`cluster_name=${CLUSTER_NAME}`))
    throw new DataDirInUseError(options.dataDir, found.pid);
  options.log(`stopping PostgreSQL (process ${found.pid}) left over from an earlier run`);
  await stopPostmaster(found.pid);
}
