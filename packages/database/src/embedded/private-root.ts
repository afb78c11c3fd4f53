import { constants } from 'node:fs';
import { access, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.ts';

const userId = (): number => process.getuid?.() ?? 0;

/**
 * Makes a directory that belongs to this user, that others may pass through but neither list nor
 * change. A directory somebody else put there first (the parent may be world-writable) is refused.
 */
async function ownedDirectory(directory: string): Promise<string> {
  await mkdir(directory, { mode: 0o711 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== userId() || (found.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      `${directory} is not a directory of this user that only this user may change; remove it`,
    );
  }
  return directory;
}

/** @returns the per-user directory for copies of the PostgreSQL binaries; may be cleaned by the system. */
export async function binariesRoot(): Promise<string> {
  return ownedDirectory(`/var/tmp/claude-nexus-${userId()}`);
}

/**
 * @returns the directory for clusters whose own data directory the server's user cannot reach.
 * `/var/lib` first: `/var/tmp` is cleaned by age on many systems.
 */
export async function clustersRoot(): Promise<string> {
  try {
    await access('/var/lib', constants.W_OK);
    return await ownedDirectory('/var/lib/claude-nexus');
  } catch {
    return ownedDirectory(path.join(await binariesRoot(), 'clusters'));
  }
}

/** @returns whether any user may pass through `directory` and all its parents. */
export async function reachableForOthers(directory: string): Promise<boolean> {
  let current = await realpath(directory);
  for (;;) {
    const found = await stat(current);
    if ((found.mode & 0o001) === 0) return false;
    const parent = path.dirname(current);
    if (parent === current) return true;
    current = parent;
  }
}
