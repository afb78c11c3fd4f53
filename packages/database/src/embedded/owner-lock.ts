import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { DataDirInUseError, DataDirUnwritableError } from './errors.ts';
import { processStart } from './processes.ts';

interface Owner {
  readonly pid: number;
  readonly start: string | undefined;
  readonly token: string;
}

/** Held while this process has the data directory open. */
export interface OwnerLock {
  release(): Promise<void>;
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

const isLive = async (owner: Owner): Promise<boolean> => {
  const start = await processStart(owner.pid);
  return start !== undefined && start === owner.start;
};

/**
 * Takes the data directory for this process. The lock is a file with the owner's process id and start
 * time, put in place whole by link(2); the lock of a dead process is taken over.
 *
 * @throws DataDirInUseError when a live process holds it
 * @throws DataDirUnwritableError when the file cannot be written
 */
export async function lockDataDir(dataDir: string): Promise<OwnerLock> {
  const file = path.join(dataDir, 'owner.lock');
  const token = randomBytes(8).toString('hex');
  const mine: Owner = { pid: process.pid, start: await processStart(process.pid), token };
  const draft = `${file}.${token}`;
  try {
    await writeFile(draft, JSON.stringify(mine), { mode: 0o600 });
  } catch (error) {
    throw new DataDirUnwritableError(dataDir, error);
  }
  try {
    for (;;) {
      if (await placed(draft, file)) break;
      const owner = await readOwner(file);
      if (owner !== undefined && (await isLive(owner))) throw new DataDirInUseError(dataDir, owner.pid);
      await removeStale(file, owner?.token);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    release: async () => {
      if ((await readOwner(file))?.token === token) await rm(file, { force: true });
    },
  };
}

async function placed(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new DataDirUnwritableError(path.dirname(file), error);
  }
}

/** Moves the lock aside and looks again: between our look and the move another start may have replaced it. */
async function removeStale(file: string, token: string | undefined): Promise<void> {
  const aside = `${file}.stale-${randomBytes(8).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  const moved = await readOwner(aside);
  if (moved?.token !== token) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}
