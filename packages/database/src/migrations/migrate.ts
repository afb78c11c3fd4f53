import { Client, DatabaseError } from 'pg';

import { BOOTSTRAP_SQL, HARDENING_SQL } from './bootstrap-sql.ts';
import { MigrationEditedError, MigrationFailedError } from './errors.ts';
import { MIGRATIONS_DIRECTORY, readMigrations } from './migration-files.ts';
import type { Migration } from './migration-files.ts';

/** Key of the advisory lock every migrating process takes: "nexus" in ASCII. */
const LOCK_KEY = '474215675251';
const BOOTSTRAP_ATTEMPTS = 10;

/** What to migrate and whom to tell. */
export interface MigrateOptions {
  /** A login that may create roles and the schema: a superuser, or CREATEROLE and CREATE on the database. */
  readonly url: string;
  /** Receives one line per step. */
  readonly log?: (message: string) => void;
  /** Default: the folder of this package. */
  readonly directory?: string;
}

/**
 * Brings the schema up to date. Any number of processes may do so at once: each migration is one
 * transaction under an advisory lock that looks again at what has been applied. The lock lasts as long as
 * the transaction, so a transaction pooler in between does no harm.
 *
 * @throws MigrationEditedError when an applied migration differs from its file
 * @throws MigrationFailedError when a statement fails; that migration has changed nothing
 * @throws MigrationFileError when the folder is malformed
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const log = options.log ?? (() => undefined);
  const migrations = await readMigrations(options.directory ?? MIGRATIONS_DIRECTORY);
  const client = new Client({ connectionString: options.url, application_name: 'claude-nexus migrate' });
  // A lost connection also rejects the query under way; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await bootstrap(client, log);
    while (await applyNext(client, { migrations, log }));
  } finally {
    await client.end();
  }
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function takeLock(client: Client, log: (message: string) => void): Promise<void> {
  const tried = await client.query<{ taken: boolean }>(
    'select pg_catalog.pg_try_advisory_xact_lock($1::bigint) as taken',
    [LOCK_KEY],
  );
  if (tried.rows[0]?.taken === true) return;
  log('waiting for another process that is migrating this database');
  await client.query('select pg_catalog.pg_advisory_xact_lock($1::bigint)', [LOCK_KEY]);
}

/**
 * The lock covers one database, roles are shared by all of a server: two databases' first migrations may
 * collide on them, which PostgreSQL reports as a concurrent update. Trying again settles it.
 */
async function bootstrap(client: Client, log: (message: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await inTransaction(client, async () => {
        await takeLock(client, log);
        await client.query(BOOTSTRAP_SQL);
      });
      break;
    } catch (error) {
      const collided =
        error instanceof DatabaseError && (error.message.includes('concurrently') || error.code === '23505');
      if (!collided || attempt === BOOTSTRAP_ATTEMPTS)
        throw new MigrationFailedError('0000 (roles and schema)', error);
    }
  }
  for (const statement of HARDENING_SQL) {
    await inTransaction(client, async () => {
      await takeLock(client, log);
      await client.query(statement);
    }).catch((error: unknown) => {
      const insufficient = error instanceof DatabaseError && error.code === '42501';
      const collided = error instanceof DatabaseError && error.message.includes('concurrently');
      if (!insufficient && !collided) throw new MigrationFailedError('0000 (rights of everybody)', error);
      log(`left as it is: ${error instanceof Error ? error.message : ''}`);
    });
  }
}

/** @returns whether there may be more to apply. */
async function applyNext(
  client: Client,
  options: { migrations: readonly Migration[]; log: (message: string) => void },
): Promise<boolean> {
  const { migrations, log } = options;
  return inTransaction(client, async () => {
    await takeLock(client, log);
    await client.query('set local role nexus_owner');
    const applied = await client.query<{ version: number; name: string; checksum: string }>(
      'select version, name, checksum from nexus.migration order by version',
    );
    for (const row of applied.rows) {
      const file = migrations[row.version - 1];
      // A row without a file was applied by a newer release: whether it serves us is schema_version()'s answer.
      if (file !== undefined && file.checksum !== row.checksum) throw new MigrationEditedError(file.name);
    }
    const next = migrations[applied.rows.length];
    if (next === undefined) {
      log(`schema is at version ${applied.rows.length}`);
      return false;
    }
    log(`applying ${next.name} (${next.version} of ${migrations.length})`);
    await client.query(next.sql).catch((error: unknown) => {
      throw new MigrationFailedError(next.name, error);
    });
    await client.query(
      `insert into nexus.migration (version, name, checksum, minimum_service)
       values ($1::integer, $2::text, $3::text, $4::integer)`,
      [next.version, next.name, next.checksum, next.minimumService],
    );
    return true;
  });
}
