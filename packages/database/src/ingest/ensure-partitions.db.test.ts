import { createIdFactory, uuidTime, weekOf } from '@claude-nexus/domain';
import { Client } from 'pg';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { sampleBatch, sampleFrame, sampleIds, samplePath, sampleRequest } from '../testing/sample-rows.ts';
import { commitExchanges } from './commit-exchanges.ts';
import { ensurePartitions } from './ensure-partitions.ts';

const WEEK_MS = 7 * 24 * 3600 * 1000;
const TABLES = ['frame', 'node', 'piece', 'request'];
const thisWeek = weekOf(Date.now());

let database: TestDatabase;
let writer: Pool;
let superuser: Client;

beforeEach(async () => {
  database = await createTestDatabase();
  writer = openPool({
    url: database.writerUrl,
    role: 'nexus_writer',
    max: 6,
    applicationName: 'test',
    statementTimeoutMs: 30_000,
  });
  superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
});
afterEach(async () => {
  await superuser.end();
  await writer.end();
  await database.drop();
});

/** One exchange with content, begun some weeks from now. */
function exchange(weeks: number) {
  const id = sampleIds(() => Date.now() + weeks * WEEK_MS)();
  const { frame, pieces } = sampleFrame(id, [`text of week ${weeks}`]);
  const nodes = samplePath(weekOf(uuidTime(id)), [`message of week ${weeks}`]);
  return { id, batch: sampleBatch({ frames: [frame], pieces, nodes, requests: [sampleRequest({ id })] }) };
}

/** Which partition holds each row, per table. */
async function places(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const table of TABLES) {
    const rows = await superuser.query<{ place: string }>(
      `select distinct tableoid::regclass::text as place from nexus.${table} order by 1`,
    );
    found[table] = rows.rows.map((row) => row.place);
  }
  return found;
}

const all = (suffix: string): Record<string, string[]> =>
  Object.fromEntries(TABLES.map((table) => [table, [`nexus.${table}_${suffix}`]]));

it('a migrated database has partitions for this week and four more', async () => {
  const found = await superuser.query<{ name: string }>(
    `select c.relname::text as name from pg_class c where c.relnamespace = 'nexus'::regnamespace
     and c.relkind = 'r' and c.relispartition and c.relname not like '%default' order by 1`,
  );
  const weeks = Array.from({ length: 5 }, (_, index) => thisWeek + index);
  expect(found.rows.map((row) => row.name)).toEqual(
    TABLES.flatMap((table) => weeks.map((week) => `${table}_w${week}`)),
  );
  const { batch } = exchange(0);
  await commitExchanges(writer, batch);
  expect(await places()).toEqual(all(`w${thisWeek}`));
});

it('rows of a week without partition wait in DEFAULT and move when it is added', async () => {
  const { batch } = exchange(-10);
  await commitExchanges(writer, batch);
  expect(await places()).toEqual(all('default'));
  await ensurePartitions(writer);
  expect(await places()).toEqual(all(`w${thisWeek - 10}`));
  const before = await superuser.query('select r.*, r.xmin from nexus.request r');
  await commitExchanges(writer, batch);
  expect((await superuser.query('select r.*, r.xmin from nexus.request r')).rows).toEqual(before.rows);
  const stored = await superuser.query<{ storage: string }>(
    `select attstorage as storage from pg_attribute where attrelid = 'nexus.frame_w${thisWeek - 10}'::regclass and attname = 'data'`,
  );
  expect(stored.rows).toEqual([{ storage: 'e' }]);
});

it('rows of a wrong clock stay in DEFAULT, and make no partitions', async () => {
  const { batch } = exchange(60);
  await commitExchanges(writer, batch);
  const ancient = createIdFactory({ now: () => 0, random: (size) => Buffer.alloc(size, 7) })();
  await commitExchanges(writer, sampleBatch({ requests: [sampleRequest({ id: ancient })] }));
  await ensurePartitions(writer);
  expect(await places()).toEqual(all('default'));
});

it('a partition that is missing is added again under load, by several at once, and no row is lost', async () => {
  await superuser.query(
    `drop table nexus.request_w${thisWeek}, nexus.frame_w${thisWeek}, nexus.piece_w${thisWeek}, nexus.node_w${thisWeek}`,
  );
  const nextId = sampleIds();
  const work = Array.from({ length: 4 }, async (_, seed) => {
    for (let round = 0; round < 15; round += 1) {
      const id = nextId();
      const { frame, pieces } = sampleFrame(id, [`shared ${round}`, `own ${seed} ${round}`]);
      const row = sampleRequest({ id });
      await commitExchanges(
        writer,
        sampleBatch({
          frames: [frame],
          pieces,
          nodes: samplePath(thisWeek, [`m ${round}`]),
          requests: [{ ...row, outcome: 'pending' }],
        }),
      );
      if (round === 5) await ensurePartitions(writer);
      await commitExchanges(writer, sampleBatch({ requests: [row] }));
    }
  });
  await Promise.all(work);
  await ensurePartitions(writer);
  expect(await places()).toEqual(all(`w${thisWeek}`));
  const counts = await superuser.query(`select (select count(*)::int from nexus.request) as requests,
    (select count(*)::int from nexus.frame) as frames, (select count(*)::int from nexus.piece) as pieces,
    (select count(*)::int from nexus.node) as nodes`);
  expect(counts.rows).toEqual([{ requests: 60, frames: 60, pieces: 75, nodes: 15 }]);
});

it('a table in use for long is left for the next call', async () => {
  await commitExchanges(writer, exchange(-3).batch);
  await superuser.query('begin');
  await superuser.query('select count(*) from nexus.request_default');
  await ensurePartitions(writer);
  await superuser.query('commit');
  const left = await places();
  expect(left).toEqual({ ...all(`w${thisWeek - 3}`), request: ['nexus.request_default'] });
  await ensurePartitions(writer);
  expect(await places()).toEqual(all(`w${thisWeek - 3}`));
});
