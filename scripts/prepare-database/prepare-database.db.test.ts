import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { createTestDatabase, withClient } from '@claude-nexus/database/testing';
import type { TestDatabase } from '@claude-nexus/database/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../prepare-database.ts', import.meta.url));
const A = 'nexus_test_rotate_a';
const B = 'nexus_test_rotate_b';
const PASSWORD = { [A]: 'marked-password-of-a', [B]: 'marked-password-of-b' };

let folder: string;
let database: TestDatabase;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claude-nexus-logins-'));
  database = await createTestDatabase({ migrated: false });
});

afterEach(async () => {
  await withClient(database.superuserUrl, async (client) => {
    for (const name of [A, B]) await client.query(`drop role if exists ${name}`);
  });
  await database.drop();
  await rm(folder, { recursive: true });
});

async function prepare(
  logins: unknown,
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string }> {
  const file = path.join(folder, 'logins.json');
  await writeFile(file, typeof logins === 'string' ? logins : JSON.stringify(logins));
  const child = spawn(process.execPath, [PROGRAM], {
    env: { MIGRATION_DATABASE_URL: database.superuserUrl, LOGINS_FILE: file, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(out).not.toContain('marked-password');
  expect(out).not.toContain(new URL(database.superuserUrl).password);
  return { code, out };
}

const login = (name: typeof A | typeof B, enabled: boolean) => ({
  name,
  group: 'nexus_writer',
  password: PASSWORD[name],
  enabled,
});

function urlOf(name: typeof A | typeof B): string {
  const url = new URL(database.superuserUrl);
  url.username = name;
  url.password = PASSWORD[name] ?? '';
  return url.href;
}

/** Works as a proxy does, for as long as `meanwhile` takes; tells whether the session outlived it. */
async function working(name: typeof A | typeof B, meanwhile: () => Promise<void>): Promise<boolean> {
  return withClient(urlOf(name), async (client) => {
    await client.query('set role nexus_writer; select nexus.schema_version()');
    await meanwhile();
    return client.query('select 1').then(
      () => true,
      () => false,
    );
  });
}

it('changes over from one login to the other without a moment in which none works', async () => {
  expect((await prepare([login(A, true), login(B, false)])).code).toBe(0);
  const survived = await working(A, async () => {
    expect((await prepare([login(A, true), login(B, true)])).code).toBe(0);
    expect(await working(B, async () => undefined)).toBe(true);
  });
  expect(survived).toBe(true);
  const outlived = await working(A, async () => {
    const result = await prepare([login(A, false), login(B, true)]);
    expect(result.out).toContain(`login ${A} is locked, 1 sessions ended`);
  });
  expect(outlived).toBe(false);
  await expect(working(A, async () => undefined)).rejects.toThrow('password authentication failed');
  expect(await working(B, async () => undefined)).toBe(true);
  expect((await prepare([login(A, false), login(B, true)])).code).toBe(0);
});

it("sets up the logins of the services' own addresses", async () => {
  const env = { LOGINS_FILE: '', PROXY_DATABASE_URL: urlOf(A) };
  expect(await prepare([], env)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`login ${A} is set up`) as string,
  });
  expect(await working(A, async () => undefined)).toBe(true);
  const refused = await prepare([], { ...env, DASHBOARD_DATABASE_URL: urlOf(A) });
  expect(refused).toEqual({
    code: 1,
    out: 'prepare-database: DASHBOARD_DATABASE_URL must have another login than PROXY_DATABASE_URL\n',
  });
});

it('ends with one line that names field and fix, before anything is changed', async () => {
  const { code, out } = await prepare([{ ...login(A, true), group: 'nexus_owner' }]);
  expect({ code, out }).toEqual({
    code: 1,
    out: 'prepare-database: LOGINS_FILE field "[0].group" must be nexus_writer or nexus_reader\n',
  });
  const schema = await withClient(database.superuserUrl, (client) =>
    client.query("select pg_catalog.to_regnamespace('nexus') as found"),
  );
  expect(schema.rows).toEqual([{ found: null }]);
});

it('names the setting when the database refuses its login', async () => {
  const url = new URL(database.superuserUrl);
  url.password = 'wrong';
  const { code, out } = await prepare([], { MIGRATION_DATABASE_URL: url.href });
  expect(code).toBe(1);
  expect(out).toMatch(
    /^prepare-database: the database refuses MIGRATION_DATABASE_URL: password authentication/,
  );
});

it('waits for a database that is not there yet, and says when it gives up', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { code, out } = await prepare([], {
    MIGRATION_DATABASE_URL: `postgresql://owner:marked-password@127.0.0.1:${port}/nexus`,
    DATABASE_WAIT: '1s',
  });
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    `waiting for the database at 127.0.0.1:${port}: nothing listens there yet`,
    expect.stringMatching(
      /^prepare-database: .*the database at 127.0.0.1:\d+ cannot be reached: nothing listens/,
    ),
    '',
  ]);
});
