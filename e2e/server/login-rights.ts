import { withClient } from '@claude-nexus/database/testing';

const REFUSED = '42501';

/** What a login may do in the schema, tried statement by statement. */
export interface LoginRights {
  /** Tables there are. */
  readonly tables: readonly string[];
  /** Those of which it may select. */
  readonly reads: readonly string[];
  /** Statements beyond selecting that were not refused for want of a right. */
  readonly changes: readonly string[];
  /** Functions it may execute. */
  readonly executes: readonly string[];
}

/** @param url with the login, in the role it has when it connects */
export async function loginRights(url: string): Promise<LoginRights> {
  return withClient(url, async (client) => {
    const names = async (sql: string): Promise<string[]> =>
      (await client.query<{ name: string }>(sql)).rows.map(({ name }) => name);
    const isAllowed = async (sql: string): Promise<boolean> => {
      await client.query('begin');
      const code = await client.query(sql).then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
      await client.query('rollback');
      return code !== REFUSED;
    };
    const allowed = async (statements: readonly string[]): Promise<string[]> => {
      const result: string[] = [];
      for (const sql of statements) if (await isAllowed(sql)) result.push(sql);
      return result;
    };

    const tables = await names(`
      select 'nexus.' || relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where nspname = 'nexus' and relkind in ('r', 'p') order by relname`);
    const reads = await allowed(tables.map((table) => `select from ${table} limit 1`));
    const changes = await allowed([
      ...tables.flatMap((table) => [
        `insert into ${table} default values`,
        `delete from ${table}`,
        `truncate ${table}`,
        `drop table ${table}`,
      ]),
      'create table nexus.added (x int)',
      'create table public.added (x int)',
      'create temporary table added (x int)',
      'create schema added',
      'create role added',
      'set role nexus_owner',
      'set role postgres',
    ]);
    const executes = await names(`
      select proname as name from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where nspname = 'nexus' and pg_catalog.has_function_privilege(p.oid, 'execute') order by proname`);
    return { tables, reads: reads.map((sql) => sql.split(' ')[2] ?? ''), changes, executes };
  });
}
