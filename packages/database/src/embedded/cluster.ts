import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import {
  DataDirDamagedError,
  DataDirUnwritableError,
  DataDirVersionError,
  EmbeddedPostgresError,
} from './errors.ts';
import { spawnAs } from './identity.ts';
import type { Identity } from './identity.ts';
import type { Installation } from './installation.ts';
import { claimClusterDirectory } from './distant-clusters.ts';
import { clustersRoot, reachableForOthers } from './private-root.ts';

export const SUPERUSER = 'postgres';
const LOCATION_FILE = 'cluster-location.json';
const PASSWORD_FILE = 'superuser-password';

/** A PostgreSQL data directory and the password of its superuser. */
export interface Cluster {
  readonly directory: string;
  readonly password: string;
}

interface ClusterOptions {
  readonly dataDir: string;
  readonly identity: Identity | undefined;
  readonly programs: Installation;
  readonly durable: boolean;
  readonly log: (message: string) => void;
}

/** Makes the data directory. @throws DataDirUnwritableError */
export async function makeDataDir(dataDir: string, identity: Identity | undefined): Promise<void> {
  try {
    await makeWithParents(dataDir, identity === undefined ? 0o700 : 0o711);
  } catch (error) {
    throw new DataDirUnwritableError(dataDir, error);
  }
}

/** As mkdir's `recursive`, which never returns where a directory is said to be missing that exists (/proc). */
async function makeWithParents(directory: string, mode: number): Promise<void> {
  const made = await mkdir(directory, { mode }).catch((error: unknown) => codeOf(error));
  if (made === undefined || (made === 'EEXIST' && (await stat(directory)).isDirectory())) return;
  if (made === 'ENOENT') await makeWithParents(path.dirname(directory), mode);
  await mkdir(directory, { mode });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/**
 * Where the cluster lives: inside the data directory, or, when the server's user cannot reach that,
 * under a root of its own. The first start decides and records it, so that it never changes.
 */
async function locate({ dataDir, identity }: ClusterOptions): Promise<string> {
  const inside = path.join(dataDir, 'cluster');
  const record = path.join(dataDir, LOCATION_FILE);
  const recorded = await readFile(record, 'utf8').catch(() => undefined);
  if (recorded !== undefined) {
    const { cluster } = JSON.parse(recorded) as { cluster: string };
    return cluster;
  }
  if (identity === undefined || (await exists(inside)) || (await reachableForOthers(dataDir))) return inside;
  const cluster = await claimClusterDirectory(await clustersRoot(), record);
  await writeFile(record, `${JSON.stringify({ cluster })}\n`, { mode: 0o600 });
  return cluster;
}

const exists = async (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/**
 * Opens the cluster of a data directory, creating it on the first start.
 *
 * @throws DataDirVersionError when another major version wrote it
 * @throws DataDirDamagedError when the recorded cluster or its password is gone
 * @throws EmbeddedPostgresError when initdb fails
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, programs } = options;
  const directory = await locate(options);
  const passwordFile = path.join(dataDir, PASSWORD_FILE);
  const version = await readFile(path.join(directory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) {
    if (await exists(path.join(dataDir, 'initialised'))) {
      throw new DataDirDamagedError(
        `the database of data directory ${dataDir} is missing (expected at ${directory}); ` +
          'restore it, or remove the data directory to start empty',
      );
    }
    return initialise(directory, options);
  }
  if (version.trim() !== programs.majorVersion) {
    throw new DataDirVersionError({ dataDir, found: version.trim(), supported: programs.majorVersion });
  }
  const password = await readFile(passwordFile, 'utf8').catch((error: unknown) => {
    throw new DataDirDamagedError(`${passwordFile} cannot be read; restore it from a backup`, {
      cause: error,
    });
  });
  return { directory, password: password.trim() };
}

/** Initialises beside the final place and renames, so that an interrupted start leaves nothing half made. */
async function initialise(directory: string, options: ClusterOptions): Promise<Cluster> {
  const { dataDir, identity, programs, durable, log } = options;
  log('creating the database');
  const parent = path.dirname(directory);
  await mkdir(parent, { recursive: true, mode: 0o711 });
  await removeLeftovers(parent);
  const unique = randomBytes(8).toString('hex');
  const fresh = path.join(parent, `new-${unique}`);
  const passwordInput = path.join(parent, `new-${unique}.password`);
  const password = randomBytes(24).toString('base64url');
  try {
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordInput, `${password}\n`, { mode: 0o600 });
    if (identity !== undefined) {
      for (const file of [fresh, passwordInput]) await chown(file, identity.uid, identity.gid);
    }
    await runInitdb({ programs, identity, durable, directory: fresh, passwordInput });
    await writeSecret(path.join(dataDir, PASSWORD_FILE), `${password}\n`);
    await rm(directory, { recursive: true, force: true });
    await rename(fresh, directory);
    await writeFile(path.join(dataDir, 'initialised'), '', { mode: 0o600 });
  } finally {
    await rm(passwordInput, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
  return { directory, password };
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith('new-')) await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

async function writeSecret(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, file);
}

async function runInitdb(options: {
  programs: Installation;
  identity: Identity | undefined;
  durable: boolean;
  directory: string;
  passwordInput: string;
}): Promise<void> {
  const child = spawnAs(
    options.identity,
    [
      options.programs.initdb,
      `--pgdata=${options.directory}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${options.passwordInput}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-instructions',
      ...(options.durable ? [] : ['--no-sync']),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const code = await Promise.race([
    once(child, 'close').then(([code]: unknown[]) => code),
    once(child, 'error').then(([error]: unknown[]) => String(error)),
  ]).catch((error: unknown) => String(error));
  if (code !== 0) {
    throw new EmbeddedPostgresError(
      `initdb failed (${String(code)}): ${said.trim().split('\n').slice(-3).join(' ')}`,
    );
  }
}
