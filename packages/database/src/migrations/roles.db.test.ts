import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { commitExchanges } from '../ingest/commit-exchanges.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { sampleBatch, sampleFrame, sampleHash, sampleIds, sampleRequest } from '../testing/sample-rows.ts';

const DENIED = '42501';
const READ_ONLY = '25006';
/** Everything the proxy's login may call. */
const INGEST = [
  'nexus.commit_exchanges(json,json,json,json,bytea,text,jsonb)',
  'nexus.ensure_partitions()',
  'nexus.put_pieces(integer,bytea)',
  'nexus.schema_version()',
  'nexus.token_totals(text,text)',
];
const SECRET = 'the recorded text nobody may see';

let database: TestDatabase;
let superuser: Client;
let proxy: Client;
let dashboard: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = await connect(database.superuserUrl);
  proxy = await connect(database.writerUrl);
  dashboard = await connect(database.readerUrl);
  const id = sampleIds()();
  const { frame, pieces } = sampleFrame(id, [SECRET]);
  await commitExchanges(
    proxy,
    sampleBatch({ frames: [frame], pieces, requests: [sampleRequest({ id, headHash: sampleHash(SECRET) })] }),
  );
});
afterAll(async () => {
  await Promise.all([superuser, proxy, dashboard].map(async (client) => client.end()));
  await database.drop();
});

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function column<T>(sql: string, values: unknown[] = []): Promise<T[]> {
  return (await superuser.query<[T]>({ text: sql, values, rowMode: 'array' })).rows.map(([value]) => value);
}

const relations = (kinds: string): Promise<string[]> =>
  column(
    `select oid::regclass::text from pg_class where relnamespace = 'nexus'::regnamespace
     and relkind = any (string_to_array($1, null)::"char"[]) order by 1`,
    [kinds],
  );

/** @returns the SQLSTATE a statement fails with, or its rows */
async function outcomeOf(client: Client, sql: string): Promise<unknown> {
  try {
    return (await client.query(sql)).rows;
  } catch (error) {
    if (error instanceof DatabaseError) return error.code;
    throw error;
  }
}

describe('PUBLIC', () => {
  it('may execute no function and read no table of the schema', async () => {
    expect(
      await column(`select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'nexus'::regnamespace and has_function_privilege('public', p.oid, 'execute')`),
    ).toEqual([]);
    expect(
      await column(`select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'nexus'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
          and (c.relkind <> 'S' and has_table_privilege('public', c.oid, 'select, insert, update, delete, truncate')
            or c.relkind = 'S' and has_sequence_privilege('public', c.oid, 'usage, select, update'))`),
    ).toEqual([]);
    expect(await column(`select has_schema_privilege('public', 'nexus', 'usage, create')`)).toEqual([false]);
  });

  it('may not execute a function the owner adds later', async () => {
    await superuser.query('set role nexus_owner');
    await superuser.query('create function nexus.added_later() returns int language sql as $$ select 1 $$');
    await superuser.query('reset role');
    expect(await column(`select has_function_privilege('public', 'nexus.added_later()', 'execute')`)).toEqual(
      [false],
    );
    await superuser.query('drop function nexus.added_later()');
  });
});

describe('functions', () => {
  it('that services may execute run as the owner with a pinned search path', async () => {
    const found = await superuser.query(`
      select p.oid::regprocedure::text as name, p.prosecdef as definer, p.proowner::regrole::text as owner,
        'search_path=pg_catalog, pg_temp' = any (p.proconfig) as pinned
      from pg_proc p where p.pronamespace = 'nexus'::regnamespace
        and has_function_privilege('nexus_writer', p.oid, 'execute') order by 1`);
    expect(found.rows).toEqual(
      INGEST.map((name) => ({ name, definer: true, owner: 'nexus_owner', pinned: true })),
    );
  });

  it('are all the owner has given away: nothing else runs with its rights', async () => {
    expect(
      await column(`select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'nexus'::regnamespace and p.prosecdef order by 1`),
    ).toEqual(INGEST);
  });
});

describe("the dashboard's login", () => {
  it('can call no function of the schema', async () => {
    const callable = await column(`select p.oid::regprocedure::text from pg_proc p
      where p.pronamespace = 'nexus'::regnamespace and has_function_privilege('nexus_test_reader', p.oid, 'execute')`);
    expect(callable).toEqual([]);
    await expect(commitExchanges(dashboard, sampleBatch({}))).rejects.toMatchObject({ code: DENIED });
    for (const call of [
      'put_pieces(1, null)',
      'ensure_partitions()',
      'token_totals(null, null)',
      'schema_version()',
    ]) {
      expect([call, await outcomeOf(dashboard, `select nexus.${call}`)]).toEqual([call, DENIED]);
    }
  });

  it('reads every table and changes none', async () => {
    const tables = await relations('rp');
    expect(tables.length).toBeGreaterThan(20);
    for (const table of tables) {
      expect([table, await outcomeOf(dashboard, `select count(*) >= 0 as ok from ${table}`)]).toEqual([
        table,
        [{ ok: true }],
      ]);
      const [first] = await column<string>(
        "select quote_ident(attname) from pg_attribute where attrelid = $1::regclass and attnum > 0 and attidentity = '' limit 1",
        [table],
      );
      for (const statement of [
        `insert into ${table} default values`,
        `update ${table} set ${first} = ${first}`,
        `delete from ${table}`,
        `truncate ${table}`,
        `select * from ${table} for update`,
        `do $$ begin lock table ${table} in share mode; end $$`,
        `drop table ${table}`,
        `alter table ${table} disable trigger all`,
      ]) {
        expect([statement, await outcomeOf(dashboard, statement)]).toEqual([statement, DENIED]);
      }
    }
    for (const sequence of await relations('S')) {
      expect(await outcomeOf(dashboard, `select nextval('${sequence}')`)).toBe(DENIED);
    }
  });
});

describe("the proxy's login", () => {
  it('reads not one byte from any relation of the schema', async () => {
    for (const relation of await relations('rpvmS')) {
      for (const statement of [
        `select 1 from ${relation}`,
        `explain analyze select 1 from ${relation}`,
        `copy ${relation} to stdout`,
        `select query_to_xml('select 1 from ${relation}', true, true, '')`,
        `select table_to_xml('${relation}', true, true, '')`,
        `do $$ begin lock table ${relation} in access share mode; end $$`,
      ]) {
        const outcome = await outcomeOf(proxy, statement);
        // A sequence is no table: PostgreSQL says so before it looks at rights.
        expect([statement, outcome]).toEqual([statement, outcome === '42809' ? '42809' : DENIED]);
      }
    }
    expect(
      await column(`select c.oid::regclass::text || '.' || a.attname
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'nexus'::regnamespace and c.relkind in ('r', 'p')
          and has_column_privilege('nexus_test_writer', c.oid, a.attnum, 'select, insert, update, references')`),
    ).toEqual([]);
  });

  it('does not find content in the catalogs', async () => {
    await superuser.query('analyze nexus.frame, nexus.piece, nexus.request');
    expect(await outcomeOf(proxy, `select tablename from pg_stats where schemaname = 'nexus'`)).toEqual([]);
    for (const statement of [
      'select stavalues1 from pg_statistic',
      `select pg_read_file('postgresql.conf')`,
      `select pg_read_binary_file('PG_VERSION')`,
      `select pg_ls_dir('.')`,
      `copy (select 1) to program 'true'`,
      `select lo_get(1)`,
      `select rolpassword from pg_authid`,
    ]) {
      const outcome = await outcomeOf(proxy, statement);
      expect([statement, outcome]).toEqual([statement, outcome === '42704' ? '42704' : DENIED]);
    }
    const others = await superuser.query<{ pid: number }>('select pg_backend_pid() as pid');
    const seen = await proxy.query<{ query: string }>('select query from pg_stat_activity where pid = $1', [
      others.rows[0]?.pid,
    ]);
    expect(seen.rows).toEqual([{ query: '<insufficient privilege>' }]);
  });

  it.each([
    'create table nexus.mine (x int)',
    'create table public.mine (x int)',
    'create temporary table mine (x int)',
    'create schema mine',
    'create function public.mine() returns int language sql as $$ select 1 $$',
    'create function pg_temp.mine() returns int language sql as $$ select 1 $$',
    'create view public.mine as select 1',
    'select lo_create(0)',
    `select lo_from_bytea(0, 'x')`,
    'create role mine',
    'set role nexus_owner',
    'set role nexus_reader',
    'set session authorization postgres',
    'alter function nexus.put_pieces(integer, bytea) security invoker',
    'grant nexus_reader to nexus_test_writer',
    "select nexus.add_partition('request', 1)",
    'select nexus.store_requests(null)',
  ])('may not: %s', async (statement) => {
    expect(await outcomeOf(proxy, statement)).toBe(DENIED);
  });

  it('learns of hashes whether they are there, and nothing else', async () => {
    const answer = await outcomeOf(
      proxy,
      `select nexus.put_pieces(1, '\\x00112233445566778899aabbccddeeff')`,
    );
    expect(answer).toEqual([{ put_pieces: Buffer.from('00112233445566778899aabbccddeeff', 'hex') }]);
  });

  it('is not told the rows of others by a failing batch', async () => {
    const id = sampleIds()();
    const error: unknown = await commitExchanges(
      proxy,
      sampleBatch({ requests: [sampleRequest({ id, headHash: sampleHash('x') })] }),
    ).catch((reason: unknown) => reason);
    expect(JSON.stringify(error)).not.toContain(Buffer.from(SECRET).toString('hex'));
  });
});

describe('a pool of a superuser', () => {
  it.each([
    ['nexus_reader', 'select nexus.ensure_partitions()', DENIED],
    ['nexus_reader', 'delete from nexus.request', READ_ONLY],
    ['nexus_writer', 'select 1 from nexus.request', DENIED],
    ['nexus_writer', 'create table public.mine (x int)', DENIED],
  ] as const)('works as %s: may not %s', async (role, statement, code) => {
    const pool = openPool({
      url: database.superuserUrl,
      role,
      max: 1,
      applicationName: 'test',
      statementTimeoutMs: 1000,
    });
    await expect(pool.query(statement)).rejects.toMatchObject({ code });
    await pool.end();
  });

  it('hands out no connection that could not take its role', async () => {
    const pool = openPool({
      url: database.readerUrl,
      role: 'nexus_writer',
      max: 1,
      applicationName: 'test',
      statementTimeoutMs: 1000,
    });
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: DENIED });
    await pool.end();
  });
});
