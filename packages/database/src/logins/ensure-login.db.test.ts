import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { ensureLogin } from './ensure-login.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  const client = new Client({ connectionString: database.superuserUrl });
  await client.connect();
  await client.query('drop role if exists nexus_test_ensured');
  await client.end();
  await database.drop();
});

async function groupsOf(password: string): Promise<unknown[]> {
  const url = new URL(database.superuserUrl);
  url.username = 'nexus_test_ensured';
  url.password = password;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    const sql = `select rolname from pg_catalog.pg_roles
      where rolname like 'nexus\\_%' and rolname <> current_user and pg_catalog.pg_has_role(oid, 'member')`;
    return (await client.query<{ rolname: string }>(sql)).rows.map((row) => row.rolname);
  } finally {
    await client.end();
  }
}

it('creates a login with the rights of its group, and changes its password later', async () => {
  const login = { url: database.superuserUrl, name: 'nexus_test_ensured', group: 'nexus_reader' } as const;
  await ensureLogin({ ...login, password: "first'; --" });
  expect(await groupsOf("first'; --")).toEqual(['nexus_reader']);
  await ensureLogin({ ...login, password: 'second' });
  expect(await groupsOf('second')).toEqual(['nexus_reader']);
  await expect(groupsOf("first'; --")).rejects.toThrow('password authentication failed');
});
