import { Client } from 'pg';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { commitExchanges } from '../ingest/commit-exchanges.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { sampleBatch, sampleIds, sampleRequest } from '../testing/sample-rows.ts';
import { listenForChanges } from './listen-for-changes.ts';
import { currentChangeCursor, readChanges } from './read-changes.ts';

let database: TestDatabase;
let writer: Pool;
let reader: Pool;
let superuser: Client;
const nextId = sampleIds();

beforeEach(async () => {
  database = await createTestDatabase();
  const options = { max: 4, applicationName: 'test', statementTimeoutMs: 20_000 };
  writer = openPool({ ...options, url: database.writerUrl, role: 'nexus_writer' });
  reader = openPool({ ...options, url: database.readerUrl, role: 'nexus_reader' });
  superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
});
afterEach(async () => {
  await superuser.end();
  await reader.end();
  await writer.end();
  await database.drop();
});

const batchOf = (id: string) => sampleBatch({ requests: [sampleRequest({ id })] });

/** All changes after a cursor, page by page. */
async function readAll(after: string, limit: number): Promise<{ ids: string[]; cursor: string }> {
  const ids: string[] = [];
  for (let cursor = after; ;) {
    const page = await readChanges(reader, cursor, limit);
    if (page === undefined) throw new Error('the cursor is too old');
    ids.push(...page.changes.map((change) => change.requestId));
    cursor = page.cursor;
    if (!page.more) return { ids, cursor };
  }
}

describe('readChanges', () => {
  it('gives every change once, in order, in pages', async () => {
    const start = await currentChangeCursor(reader);
    const ids = Array.from({ length: 7 }, nextId);
    for (const id of ids) await commitExchanges(writer, batchOf(id));
    const { ids: seen, cursor } = await readAll(start, 3);
    expect(seen).toEqual(ids);
    expect(await readAll(cursor, 3)).toEqual({ ids: [], cursor });
    expect((await readAll('0-0', 2)).ids).toEqual(ids);
  });

  it('skips nothing that is committed late', async () => {
    const start = await currentChangeCursor(reader);
    const [early, late] = [nextId(), nextId()];
    const slow = await writer.connect();
    await slow.query('begin');
    await commitExchanges(slow, batchOf(late));
    // Of another domain and recorder: those of the same one wait for each other anyway.
    const other = sampleRequest({ id: early, domain: 'other.test', recorderId: 'recorder-2' });
    await commitExchanges(
      writer,
      sampleBatch({ requests: [other], recorder: { id: 'recorder-2', stats: {} } }),
    );
    // The fast transaction is the younger one: to show it now would move the cursor past the slow one.
    const { ids, cursor } = await readAll(start, 10);
    expect(ids).toEqual([]);
    await slow.query('commit');
    slow.release();
    expect((await readAll(cursor, 10)).ids).toEqual([late, early]);
  });

  it('shows nothing of a transaction that is rolled back', async () => {
    const start = await currentChangeCursor(reader);
    const client = await writer.connect();
    await client.query('begin');
    await commitExchanges(client, batchOf(nextId()));
    await client.query('rollback');
    client.release();
    expect((await readAll(start, 10)).ids).toEqual([]);
  });

  it('says so when changes after the cursor have been trimmed, and only then', async () => {
    const start = await currentChangeCursor(reader);
    const [first, second, third] = [nextId(), nextId(), nextId()];
    await commitExchanges(writer, batchOf(first));
    const afterFirst = (await readAll(start, 10)).cursor;
    await commitExchanges(writer, batchOf(second));
    const afterSecond = (await readAll(start, 10)).cursor;
    await superuser.query(`update nexus.change set at = at - interval '61 minutes'`);
    await commitExchanges(writer, batchOf(third));
    expect((await superuser.query('select count(*)::int from nexus.change')).rows).toEqual([{ count: 1 }]);
    expect(await readChanges(reader, start, 10)).toBeUndefined();
    expect(await readChanges(reader, afterFirst, 10)).toBeUndefined();
    expect((await readAll(afterSecond, 10)).ids).toEqual([third]);
  });

  it('trims a feed from its front only', async () => {
    const ids = Array.from({ length: 4 }, nextId);
    for (const id of ids) await commitExchanges(writer, batchOf(id));
    // The second is young: what comes after it stays, however old.
    await superuser.query(`update nexus.change set at = at - interval '2 hours' where request_id <> $1`, [
      ids[1],
    ]);
    await commitExchanges(writer, batchOf(nextId()));
    expect((await superuser.query('select count(*)::int from nexus.change')).rows).toEqual([{ count: 4 }]);
  });

  it('does not know a cursor of the future', async () => {
    expect(await readChanges(reader, '9000000000000000000-1', 10)).toBeUndefined();
  });
});

/** Resolves at the next call of onChange. */
function bell(): { ring: () => void; rung: () => Promise<void> } {
  let waiting: (() => void)[] = [];
  return {
    ring: () => {
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    rung: async () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
  };
}

describe('listenForChanges', () => {
  it('rings at a commit, and again after its connection was cut', async () => {
    const { ring, rung } = bell();
    const errors: unknown[] = [];
    const connected = rung();
    const listener = listenForChanges({
      url: database.readerUrl,
      applicationName: 'listener under test',
      onChange: ring,
      onError: (error) => errors.push(error),
      pollMs: 3_600_000,
    });
    await connected;
    for (let round = 1; round <= 2; round += 1) {
      const committed = rung();
      await commitExchanges(writer, batchOf(nextId()));
      await committed;
      const reconnected = rung();
      await superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
        ['listener under test'],
      );
      await reconnected;
      expect(errors).toHaveLength(round);
    }
    await listener.close();
  });

  it('polls where nothing answers', async () => {
    const { ring, rung } = bell();
    const listener = listenForChanges({
      url: 'postgres://nobody@127.0.0.1:1/nothing',
      applicationName: 'test',
      onChange: ring,
      pollMs: 5,
    });
    for (const call of [rung, rung]) await expect(call()).resolves.toBeUndefined();
    await listener.close();
  });
});
