import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { withClient } from '../testing/test-server.ts';
import { disableLogin } from './disable-login.ts';
import { ensureLogin } from './ensure-login.ts';

const NAME = 'nexus_test_disabled';
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await withClient(database.superuserUrl, (client) => client.query(`drop role if exists ${NAME}`));
  await database.drop();
});

async function connected(): Promise<{ client: Client; ended: Promise<void> }> {
  const url = new URL(database.superuserUrl);
  url.username = NAME;
  url.password = 'first-password';
  const client = new Client({ connectionString: url.href });
  client.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  await client.connect();
  return { client, ended };
}

it('ends every session of a login, lets nobody in any more, and may be repeated', async () => {
  const url = database.superuserUrl;
  const login = { url, name: NAME, group: 'nexus_writer', password: 'first-password' } as const;
  await ensureLogin(login);
  const sessions = [await connected(), await connected()];
  expect(await disableLogin({ url, name: NAME })).toBe(2);
  await Promise.all(sessions.map(({ ended }) => ended));
  await expect(connected()).rejects.toThrow('password authentication failed');
  expect(await disableLogin({ url, name: NAME })).toBe(0);
  await ensureLogin(login);
  const again = await connected();
  await again.client.end();
});

it('locks the login as well as forgetting its password', async () => {
  const url = database.superuserUrl;
  await ensureLogin({ url, name: NAME, group: 'nexus_writer', password: 'first-password' });
  await disableLogin({ url, name: NAME });
  await withClient(url, (client) => client.query(`alter role ${NAME} password 'first-password'`));
  await expect(connected()).rejects.toThrow('is not permitted to log in');
  await disableLogin({ url, name: NAME });
  await withClient(url, (client) => client.query(`alter role ${NAME} login`));
  await expect(connected()).rejects.toThrow('password authentication failed');
});

it('leaves a login that does not exist alone', async () => {
  expect(await disableLogin({ url: database.superuserUrl, name: 'nexus_test_never' })).toBe(0);
});
