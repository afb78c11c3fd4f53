import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { unwritable } from './data-dir.ts';
import { DataDirError } from './errors.ts';

const FILE = 'secrets.json';

/** What a data directory keeps for its gateway; all generated at the first start. */
export interface Secrets {
  readonly dashboardKey: string;
  readonly accountHashKey: string;
  /** Password of the proxy's database login. */
  readonly writerPassword: string;
  /** Password of the dashboard's database login. */
  readonly readerPassword: string;
}

function generate(): Secrets {
  return {
    dashboardKey: `cnx_${randomBytes(24).toString('base64url')}`,
    accountHashKey: randomBytes(32).toString('base64url'),
    writerPassword: randomBytes(24).toString('base64url'),
    readerPassword: randomBytes(24).toString('base64url'),
  };
}

/**
 * Reads the secrets of an existing data directory, generating those it does not have yet; mode 0600.
 *
 * @throws DataDirError when the file cannot be read, understood or written
 */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const file = path.join(dataDir, FILE);
  try {
    const known = await readKnown(file);
    const secrets = { ...generate(), ...known };
    if (Object.keys(known).length < Object.keys(secrets).length) await save(file, secrets);
    return secrets;
  } catch (error) {
    if (error instanceof DataDirError) throw error;
    throw unwritable(dataDir, error);
  }
}

async function readKnown(file: string): Promise<Partial<Secrets>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    const known = JSON.parse(text) as Record<string, unknown>;
    const names = Object.keys(generate());
    return Object.fromEntries(
      names.filter((name) => typeof known[name] === 'string').map((name) => [name, known[name]]),
    );
  } catch (error) {
    throw new DataDirError(`${file} is damaged; restore it, or remove it to have new keys`, { cause: error });
  }
}

/** Written beside and renamed: a power cut must not leave a database whose passwords nobody knows. */
async function save(file: string, secrets: Secrets): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    const handle = await open(draft, 'w', 0o600);
    await handle.writeFile(`${JSON.stringify(secrets, undefined, 2)}\n`);
    await handle.sync();
    await handle.close();
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
