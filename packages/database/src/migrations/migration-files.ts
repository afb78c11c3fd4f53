import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

import { MigrationFileError } from './errors.ts';

/** One file of the migrations folder. */
export interface Migration {
  /** Its number, and the schema version it leads to. */
  readonly version: number;
  /** File name. */
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly checksum: string;
  /** The oldest schema version a service may be built for and still be served after this migration. */
  readonly minimumService: number;
  readonly sql: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/v;
const HEADER = /^-- minimum service: (\d+)$/mv;

/** The folder that ships with this package. */
export const MIGRATIONS_DIRECTORY = path.join(import.meta.dirname, '../../migrations');

/**
 * Reads a folder of migrations, in order. Every `.sql` file is `NNNN_name.sql`, numbered without gaps
 * from 0001, and has a line `-- minimum service: N`.
 *
 * @throws MigrationFileError naming the file that breaks a rule
 */
export async function readMigrations(directory: string = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted();
  const migrations: Migration[] = [];
  for (const name of names) {
    const version = Number(FILE_NAME.exec(name)?.[1]);
    if (version !== migrations.length + 1) {
      throw new MigrationFileError(
        `${name}: migrations are named NNNN_name.sql and numbered without gaps; expected number ${migrations.length + 1}`,
      );
    }
    const sql = await readFile(path.join(directory, name), 'utf8');
    const minimumService = Number(HEADER.exec(sql)?.[1]);
    if (!(minimumService >= 1 && minimumService <= version)) {
      throw new MigrationFileError(
        `${name}: the line "-- minimum service: N" with 1 <= N <= ${version} is missing`,
      );
    }
    const checksum = createHash('sha256').update(sql).digest('hex');
    migrations.push({ version, name, checksum, minimumService, sql });
  }
  return migrations;
}
