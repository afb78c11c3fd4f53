import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startEmbedded } from '../embedded/start-embedded.ts';
import { SCHEMA_VERSION, schemaFit, schemaVersion } from '../schema/schema-version.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { MIGRATIONS_DIRECTORY, readMigrations } from './migration-files.ts';
import { migrate } from './migrate.ts';

let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  directory = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  await cp(MIGRATIONS_DIRECTORY, directory, { recursive: true });
});
afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function versionSeenBy(url: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await schemaVersion(client);
  } finally {
    await client.end();
  }
}

/** Appends a migration to the copy of the folder. */
async function addMigration(sql: string): Promise<string> {
  const name = `${String(SCHEMA_VERSION + 1).padStart(4, '0')}_added.sql`;
  await writeFile(path.join(directory, name), sql);
  return name;
}

describe('migrate', () => {
  it('gives open and ended requests the same columns in the same order: rows move between them', async () => {
    await migrate({ url: database.superuserUrl, log: () => undefined });
    const columnsOf = (table: string) =>
      ask(
        database.superuserUrl,
        `select column_name, udt_name from information_schema.columns
         where table_schema = 'nexus' and table_name = '${table}' order by ordinal_position`,
      );
    const open = await columnsOf('open_request');
    expect(open.length).toBeGreaterThan(30);
    expect(open).toEqual(await columnsOf('request'));
  });

  it('applies everything once, however many processes try at the same time', async () => {
    const logs: string[] = [];
    const url = database.superuserUrl;
    await Promise.all(
      Array.from({ length: 6 }, async () => migrate({ url, log: (line) => logs.push(line) })),
    );
    const versions = Array.from({ length: SCHEMA_VERSION }, (_, index) => ({ version: index + 1 }));
    expect(await ask(url, 'select version from nexus.migration order by version')).toEqual(versions);
    expect(logs.filter((line) => line.startsWith('applying'))).toHaveLength(SCHEMA_VERSION);
    expect(logs.filter((line) => line.startsWith('schema is at version'))).toHaveLength(6);
  });

  it('refuses an applied migration that was edited, and changes nothing', async () => {
    await migrate({ url: database.superuserUrl, directory });
    const file = path.join(directory, '0002_recording.sql');
    await writeFile(file, `${await readFile(file, 'utf8')}\n-- a harmless comment\n`);
    await addMigration('-- minimum service: 1\ncreate table nexus.added (x int);');
    await expect(migrate({ url: database.superuserUrl, directory })).rejects.toMatchObject({
      code: 'NEXUS_MIGRATION_EDITED',
      migration: '0002_recording.sql',
    });
    expect(await ask(database.superuserUrl, `select to_regclass('nexus.added') as found`)).toEqual([
      { found: null },
    ]);
  });

  it('undoes a migration that fails half way, and goes on when it is mended', async () => {
    const name = await addMigration(
      '-- minimum service: 1\ncreate table nexus.added (x int);\nselect 1 / 0;',
    );
    await expect(migrate({ url: database.superuserUrl, directory })).rejects.toMatchObject({
      code: 'NEXUS_MIGRATION_FAILED',
      migration: name,
      message: expect.stringContaining('division by zero') as string,
    });
    expect(await versionSeenBy(database.superuserUrl)).toMatchObject({ version: SCHEMA_VERSION });
    await addMigration(`-- minimum service: ${SCHEMA_VERSION + 1}\ncreate table nexus.added (x int);`);
    await migrate({ url: database.superuserUrl, directory });
    for (const url of [database.superuserUrl, database.writerUrl, database.readerUrl]) {
      expect(await versionSeenBy(url)).toEqual({
        version: SCHEMA_VERSION + 1,
        minimumService: SCHEMA_VERSION + 1,
      });
    }
    // The default rights reach tables of later migrations.
    expect(await ask(database.readerUrl, 'select * from nexus.added')).toEqual([]);
    expect(
      await ask(database.superuserUrl, `select tableowner from pg_tables where tablename = 'added'`),
    ).toEqual([{ tableowner: 'nexus_owner' }]);
  });

  it('leaves a schema alone that a newer release has migrated', async () => {
    await addMigration('-- minimum service: 1\ncreate table nexus.added (x int);');
    await migrate({ url: database.superuserUrl, directory });
    await migrate({ url: database.superuserUrl });
    expect(await versionSeenBy(database.superuserUrl)).toMatchObject({ version: SCHEMA_VERSION + 1 });
  });

  it('serves several databases of a server whose roles do not exist yet, by a login that is no superuser', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'claude-nexus-test-'));
    await chmod(dataDir, 0o711);
    const server = await startEmbedded({ dataDir, durable: false });
    try {
      await ask(server.url, `create role migrator login createrole password 'secret'`);
      const urls: string[] = [];
      for (const name of ['first', 'second']) {
        await ask(server.url, `create database ${name} owner migrator`);
        const url = new URL(server.url);
        Object.assign(url, { username: 'migrator', password: 'secret', pathname: `/${name}` });
        urls.push(url.href);
      }
      await Promise.all([...urls, ...urls, ...urls].map(async (url) => migrate({ url })));
      for (const url of urls) expect(await versionSeenBy(url)).toMatchObject({ version: SCHEMA_VERSION });
    } finally {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('schemaVersion', () => {
  it('says so when the database was never migrated', async () => {
    for (const url of [database.superuserUrl, database.readerUrl]) {
      await expect(versionSeenBy(url)).rejects.toMatchObject({ code: 'NEXUS_SCHEMA_MISSING' });
    }
  });

  it('is the number of the last file', async () => {
    expect(await readMigrations()).toHaveLength(SCHEMA_VERSION);
  });

  it.each([
    [{ version: 5, minimumService: 3 }, 5, 'fits'],
    [{ version: 7, minimumService: 5 }, 5, 'fits'],
    [{ version: 7, minimumService: 6 }, 5, 'service-too-old'],
    [{ version: 4, minimumService: 3 }, 5, 'schema-too-old'],
  ])('of %j, for a service built for %i: %s', (schema, built, fit) => {
    expect(schemaFit(schema, built)).toBe(fit);
  });
});
