import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ROOT } from '../fixtures/program.ts';

const MIGRATIONS = 'packages/database/migrations';
const VERSION_FILE = 'packages/database/src/schema/schema-version.ts';
const VERSION = /(?<=SCHEMA_VERSION = )\d+/;
/** Large, and of no use to a build. */
const LEFT_OUT = new Set(['.git', '.tsbuild', 'dist', 'node_modules']);

/** A file of the migrations folder, by its path in the repository. */
export interface MigrationFile {
  readonly path: string;
  readonly sql: string;
}

/** @param sql works beside services of the version before */
export function migrationFile(version: number, name: string, sql: string): MigrationFile {
  return {
    path: `${MIGRATIONS}/${String(version).padStart(4, '0')}_${name}.sql`,
    sql: `-- minimum service: 1\n${sql}\n`,
  };
}

/**
 * Copies the sources and makes them the next release: one migration more, and services that are built for it.
 *
 * @returns the folder, which is the caller's to delete, and the version of its schema
 */
export async function copyAsNextVersion(sql: string): Promise<{ folder: string; schema: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-next-'));
  await cp(ROOT, folder, {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(path.basename(source)),
  });
  const file = path.join(folder, VERSION_FILE);
  const source = await readFile(file, 'utf8');
  const schema = Number(VERSION.exec(source)?.[0]) + 1;
  if (!Number.isSafeInteger(schema)) throw new Error(`${VERSION_FILE} names no version`);
  await writeFile(file, source.replace(VERSION, String(schema)));
  const migration = migrationFile(schema, 'next_version', sql);
  await writeFile(path.join(folder, migration.path), migration.sql);
  return { folder, schema };
}
