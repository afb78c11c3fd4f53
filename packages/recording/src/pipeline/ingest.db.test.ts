import { createTestDatabase, withClient } from '@claude-nexus/database/testing';
import type { TestDatabase } from '@claude-nexus/database/testing';
import { canonicalDigests, chain } from '@claude-nexus/domain';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BodyCutter } from '../store/index.ts';
import { FrameBases } from './frame-bases.ts';
import { openIngest } from './ingest.ts';
import { Shipper } from './shipper.ts';
import { journalExchange, sessionBody } from './testing/exchanges.ts';
import { FakeReader } from './testing/fakes.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

async function asSuperuser(sql: string): Promise<unknown[]> {
  return withClient(database.superuserUrl, async (client) => (await client.query(sql)).rows);
}

const nothing = async (): Promise<void> => undefined;

const answer = JSON.stringify({ type: 'message', content: [], usage: { input_tokens: 1, output_tokens: 1 } });

/** Ships these; `rounds` are the moments in which nothing new comes, with what happens in each. */
async function ship(
  exchanges: ReturnType<typeof journalExchange>[],
  rounds: (() => Promise<unknown>)[],
): Promise<FakeReader> {
  const done = new AbortController();
  const reader = new FakeReader([{ ended: exchanges }, ...rounds.map(() => ({}))], done);
  const ingest = openIngest({
    databaseUrl: database.writerUrl,
    recorderId: 'recorder-1',
    now: Date.now,
    stats: () => ({}),
  });
  const left = [...rounds];
  const shipper = new Shipper({
    reader,
    ingest,
    cutter: new BodyCutter({ digests: { canonicalDigests, chain } }),
    bases: new FrameBases(),
    recorderId: 'recorder-1',
    suspects: new Set(),
    report: { committed: () => undefined, failed: () => undefined, quarantined: () => undefined },
    wait: async () => {
      await left.shift()?.();
    },
  });
  await shipper.run(done.signal);
  await ingest.close();
  return reader;
}

describe('a record on an otherwise silent gateway', () => {
  it('that the database alone refuses goes to quarantine, and leaves nothing behind', async () => {
    await asSuperuser(`alter table nexus.request add constraint picky check (model <> 'refused')`);
    const bad = journalExchange({ request: sessionBody(1, 'refused'), status: 200, response: answer });
    const reader = await ship([bad], [nothing]);
    expect(reader.quarantined).toEqual([bad.id]);
    const tables = ['request', 'frame', 'piece', 'node', 'change', 'usage_rollup'];
    const left = await asSuperuser(tables.map((table) => `select from nexus.${table}`).join(' union all '));
    expect(left).toEqual([]);
  });

  it('is kept while the database refuses every record, and stored once it does not', async () => {
    await asSuperuser('alter table nexus.request add constraint broken check (false)');
    const good = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    const mend = async (): Promise<unknown> =>
      asSuperuser('alter table nexus.request drop constraint broken');
    const reader = await ship([good], [nothing, nothing, mend, nothing]);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked).toEqual([good.id]);
    expect(await asSuperuser('select id from nexus.request')).toEqual([{ id: good.id }]);
  });
});
