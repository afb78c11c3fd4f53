import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Beside a cluster: the file that records where it is, so that one nobody refers to can be told. */
const OWNER_FILE = 'recorded-in';

/**
 * Makes room for a cluster that cannot be inside its data directory.
 *
 * @param root directory of such clusters
 * @param record the file in the data directory that is about to record the place
 * @returns the path of the cluster to be
 */
export async function claimClusterDirectory(root: string, record: string): Promise<string> {
  await removeAbandoned(root);
  const directory = path.join(root, randomBytes(8).toString('hex'));
  await mkdir(directory, { mode: 0o711 });
  await writeFile(path.join(directory, OWNER_FILE), record, { mode: 0o600 });
  return path.join(directory, 'cluster');
}

/**
 * Removes clusters of data directories that were temporary and are gone. Of others never: their disk may only
 * not be mounted.
 */
async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const directory = path.join(root, name);
    const record = await readFile(path.join(directory, OWNER_FILE), 'utf8').catch(() => undefined);
    if (record === undefined || !isTemporary(record)) continue;
    const present = await stat(record).catch(() => undefined);
    const created = await stat(directory).catch(() => undefined);
    // A start that is under way has claimed its place and not yet recorded it.
    const settled = created !== undefined && Date.now() - created.mtimeMs > 60_000;
    if (present === undefined && settled) await rm(directory, { recursive: true, force: true });
  }
}

function isTemporary(file: string): boolean {
  return [tmpdir(), '/tmp', '/var/tmp'].some((parent) => file.startsWith(`${parent}${path.sep}`));
}
