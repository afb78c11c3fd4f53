import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTestDatabase } from '../testing/create-test-database.ts';
import { withClient } from '../testing/test-server.ts';
import { openPool } from './open-pool.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('openPool', () => {
  it('tells of a connection lost while idle without the keys and settings of that connection', async () => {
    const lost = Promise.withResolvers<Error>();
    const pool = openPool({
      url: database.readerUrl,
      role: 'nexus_reader',
      max: 1,
      applicationName: 'idle-connection',
      statementTimeoutMs: 5000,
      onError: lost.resolve,
    });
    await pool.query('select 1');
    await withClient(database.superuserUrl, async (client) => {
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'idle-connection'",
      );
    });
    const error = await lost.promise;
    expect(error.message).toMatch(/terminat/);
    expect(error).not.toHaveProperty('client');
    await pool.end();
  });
});
