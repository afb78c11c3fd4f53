import { access, constants, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

import { DataDirError } from './errors.ts';

/**
 * Makes the data directory and the folders above it, one by one: `mkdir` with `recursive` never returns on file systems
 * that answer ENOENT for a folder they refuse to make (/proc is one).
 *
 * @throws DataDirError one line with the folder, the reason and the flag to change
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await makeFolder(dataDir);
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(dataDir, error);
  }
}

/** The error for a data directory that cannot be written. */
export function unwritable(dataDir: string, cause: unknown): DataDirError {
  const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new DataDirError(
    `data directory ${dataDir} cannot be written${reason}; make it writable or choose another with --data-dir`,
    { cause },
  );
}

async function makeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) await makeFolder(parent);
  // Run as root, PostgreSQL's own user has to pass through to its files; it can neither list nor read the others.
  await mkdir(folder, { mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
}
