import { Client } from 'pg';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { commitExchanges } from '../ingest/commit-exchanges.ts';
import type { Outcome, RequestRow } from '../rows.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { sampleBatch, sampleIds, sampleRequest, sampleUsage } from '../testing/sample-rows.ts';
import { storageStats } from '../usage/storage-stats.ts';
import type { UsageGroup } from '../usage/storage-stats.ts';
import { sumUsage } from '../usage/sum-usage.ts';
import { findRequest } from './find-request.ts';
import { listRequests } from './list-requests.ts';
import { listSummaries } from './list-summaries.ts';
import type { RequestFilter } from './request-filter.ts';

const START = Date.parse('2026-11-16T00:00:00Z');
const MINUTE = 60_000;
const COUNT = 600;
const OUTCOMES: Outcome[] = ['completed', 'completed', 'completed', 'error', 'pending', 'aborted'];

let database: TestDatabase;
let reader: Pool;
let rows: RequestRow[];

/** One request every minute, over ten hours and a change of week; combinations repeat at different periods. */
function makeRows(): RequestRow[] {
  let now = START - 5 * 60 * MINUTE;
  const nextId = sampleIds(() => now);
  return Array.from({ length: COUNT }, (_, index) => {
    now += MINUTE;
    const domain = index % 5 === 0 ? 'b.test' : 'a.test';
    const outcome = OUTCOMES[index % OUTCOMES.length] ?? 'completed';
    const agent = index % 9 === 0 ? { agentId: `agent-${index % 27}` } : {};
    const ended = outcome === 'pending' ? {} : { usage: sampleUsage(1), costUsd: '0.001', durationMs: 5 };
    const status = outcome === 'error' ? 529 : 200;
    return sampleRequest({
      id: nextId(),
      domain,
      scope: `domain:${domain}`,
      accountId: `account-${index % 3}`,
      model: index === 50 ? 'rare' : `model-${index % 4}`,
      kind: index % 9 === 0 ? 'subagent' : 'main',
      outcome,
      status,
      sessionId: `session-${Math.floor(index / 50)}`,
      ...agent,
      ...ended,
    });
  });
}

beforeAll(async () => {
  database = await createTestDatabase();
  const options = { max: 4, applicationName: 'test', statementTimeoutMs: 20_000 };
  const writer = openPool({ ...options, url: database.writerUrl, role: 'nexus_writer' });
  reader = openPool({ ...options, url: database.readerUrl, role: 'nexus_reader' });
  rows = makeRows();
  for (let at = 0; at < rows.length; at += 100) {
    await commitExchanges(writer, sampleBatch({ requests: rows.slice(at, at + 100) }));
  }
  await writer.end();
});
afterAll(async () => {
  await reader.end();
  await database.drop();
});

/** The same list, the plain way. */
function expected(filter: RequestFilter): string[] {
  const tests: [unknown, (row: RequestRow) => unknown][] = [
    [filter.domain, (row) => row.domain],
    [filter.account, (row) => row.accountId],
    [filter.model, (row) => row.model],
    [filter.status, (row) => row.status],
    [filter.outcome, (row) => row.outcome],
    [filter.kind, (row) => row.kind],
    [filter.session, (row) => row.sessionId],
    [filter.agent, (row) => row.agentId],
  ];
  return rows
    .filter((row) => tests.every(([wanted, member]) => wanted === undefined || member(row) === wanted))
    .filter((row) => row.startedAt >= (filter.from ?? 0) && row.startedAt < (filter.to ?? Infinity))
    .map((row) => row.id)
    .toReversed();
}

async function listAll(
  filter: RequestFilter,
  page: { limit: number; scanBudget?: number },
): Promise<string[]> {
  const ids: string[] = [];
  let before: string | undefined;
  do {
    const part = await listRequests(reader, filter, { ...page, before });
    expect(part.requests.length).toBeLessThanOrEqual(page.limit);
    ids.push(...part.requests.map((row) => row.id));
    before = part.nextBefore;
  } while (before !== undefined);
  return ids;
}

describe('listRequests', () => {
  it.each<RequestFilter>([
    {},
    { domain: 'b.test' },
    { domain: 'b.test', account: 'account-1' },
    { account: 'account-2', outcome: 'error' },
    { model: 'rare' },
    { model: 'model-3', kind: 'subagent' },
    { outcome: 'pending' },
    { outcome: 'aborted', domain: 'a.test', from: START - 60 * MINUTE, to: START + 60 * MINUTE },
    { status: 529 },
    { status: 404 },
    { kind: 'subagent' },
    { session: 'session-3' },
    { session: 'session-3', outcome: 'pending' },
    { session: 'session-3', from: START, to: START },
    { agent: 'agent-9' },
    { agent: 'agent-9', session: 'session-1', domain: 'a.test' },
    { domain: 'nowhere' },
    { session: 'no such session' },
    { from: START },
    { to: START },
    { from: Number.MAX_SAFE_INTEGER },
    { to: -1 },
  ])('finds what matches %j, newest first, whatever the page', async (filter) => {
    const wanted = expected(filter);
    for (const page of [
      { limit: 200 },
      { limit: 7 },
      { limit: 13, scanBudget: 20 },
      { limit: 1, scanBudget: 3 },
    ]) {
      if (page.limit === 1 && wanted.length > 200) continue;
      expect(await listAll(filter, page)).toEqual(wanted);
    }
  });

  it('stops at its scan budget, with a way to go on', async () => {
    const page = await listRequests(reader, { status: 404 }, { limit: 10, scanBudget: 25 });
    expect(page.requests).toEqual([]);
    expect(page.nextBefore).toMatch(/^[0-9a-f\-]{36}$/v);
  });

  it('skips the time without a match where rollups tell of it', async () => {
    const page = await listRequests(reader, { model: 'rare' }, { limit: 10, scanBudget: 25 });
    expect(page.requests.map((row) => row.id)).toEqual([rows[50]?.id]);
  });

  it('gives no request of a conversation yet', async () => {
    const conversation = rows[0]?.id;
    expect(await listRequests(reader, { conversation }, { limit: 5 })).toEqual({
      requests: [],
      nextBefore: undefined,
    });
  });

  it.each([
    [{}, { limit: 5, before: 'x' }, 'before'],
    [{}, { limit: 0 }, 'limit'],
    [{ domain: 'a\0' }, { limit: 1 }, 'domain'],
  ])('refuses %j %j, naming the field', async (filter, page, field) => {
    await expect(listRequests(reader, filter, page)).rejects.toMatchObject({
      code: 'NEXUS_INVALID_QUERY',
      field,
    });
  });

  it('gives unknown values as undefined', async () => {
    const [pending] = (await listRequests(reader, { outcome: 'pending' }, { limit: 1 })).requests;
    expect(pending).toMatchObject({ outcome: 'pending', inputTokens: undefined, costUsd: undefined });
    const [ended] = (await listRequests(reader, { outcome: 'error' }, { limit: 1 })).requests;
    expect(ended).toMatchObject({
      status: 529,
      inputTokens: 1,
      costUsd: '0.001',
      durationMs: 5,
      stopReason: undefined,
    });
    expect(ended?.startedAt).toBe(rows.findLast((row) => row.outcome === 'error')?.startedAt);
  });
});

describe('findRequest and listSummaries', () => {
  it('find ended and open requests by id', async () => {
    for (const row of rows.slice(0, 6)) {
      expect(await findRequest(reader, row.id)).toMatchObject({
        id: row.id,
        outcome: row.outcome,
        path: row.path,
      });
    }
    const ids = [
      ...rows.slice(0, 6).map((row) => row.id),
      rows[0]?.id ?? '',
      'nonsense',
      crypto.randomUUID(),
    ];
    const found = await listSummaries(reader, ids);
    expect(found.map((row) => row.id).toSorted()).toEqual(rows.slice(0, 6).map((row) => row.id));
    expect(await listSummaries(reader, [])).toEqual([]);
  });

  it('find nobody by something else', async () => {
    expect(await findRequest(reader, crypto.randomUUID())).toBeUndefined();
    expect(await findRequest(reader, "' or true --")).toBeUndefined();
  });
});

const counts = (groups: readonly UsageGroup[]): Record<string, number> =>
  Object.fromEntries(groups.map(({ key, totals }) => [String(key), totals.requests]));

describe('storageStats', () => {
  const week = { from: START - 7 * 24 * 60 * MINUTE, to: START + 7 * 24 * 60 * MINUTE };

  it('sums all requests, open ones included', async () => {
    const stats = await storageStats(reader, week);
    const ended = rows.filter((row) => row.outcome !== 'pending').length;
    expect(stats.totals).toMatchObject({
      requests: COUNT,
      inputTokens: ended,
      outputTokens: 2 * ended,
      unpricedRequests: 0,
    });
    expect(stats.totals.costUsd).toBe((ended / 1000).toFixed(3));
    expect(counts(stats.byOutcome)).toEqual({ completed: 300, error: 100, pending: 100, aborted: 100 });
    expect(counts(stats.byAccount)).toEqual({ 'account-0': 200, 'account-1': 200, 'account-2': 200 });
    expect(counts(stats.byModel)).toMatchObject({ rare: 1, 'model-0': 150 });
    expect(counts(stats.byKind)).toEqual({ main: 533, subagent: 67 });
    expect(await sumUsage(reader, week)).toEqual(stats.totals);
  });

  it('keeps to a window and a domain', async () => {
    const window = { from: START, to: START + 30 * MINUTE, domain: 'b.test' };
    const wanted = expected({ from: window.from, to: window.to, domain: window.domain }).length;
    expect((await storageStats(reader, window)).totals.requests).toBe(wanted);
    expect((await sumUsage(reader, { from: 0, to: 1 })).requests).toBe(0);
  });

  it('lists tables, partitions and recorders', async () => {
    const { tables, recorders } = await storageStats(reader, week);
    const request = tables.find(({ table }) => table === 'request');
    expect(request?.bytes).toBe(request?.partitions.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(request?.bytes).toBeGreaterThan(100_000);
    expect(request?.partitions.at(-1)).toMatchObject({
      name: 'request_default',
      from: undefined,
      to: undefined,
    });
    const [first] = request?.partitions ?? [];
    expect((first?.to ?? 0) - (first?.from ?? 0)).toBe(7 * 24 * 60 * MINUTE);
    expect(tables.find(({ table }) => table === 'recorder')?.partitions).toEqual([]);
    expect(recorders).toEqual([
      { recorderId: 'recorder-1', updatedAt: expect.any(Number) as number, state: {} },
    ]);
  });
});

describe('values', () => {
  it('arrive as stated: int8 and timestamptz as number, numeric as string, bytea as Buffer', async () => {
    const found = await reader.query(
      `select 9007199254740991::int8 as a, 0.10::numeric as b, '2026-11-23T18:40:00.123Z'::timestamptz as c, '\\x00ff'::bytea as d`,
    );
    expect(found.rows).toEqual([
      {
        a: Number.MAX_SAFE_INTEGER,
        b: '0.10',
        c: Date.parse('2026-11-23T18:40:00.123Z'),
        d: Buffer.from([0, 255]),
      },
    ]);
  });

  it('and a statement that takes too long is cancelled', async () => {
    const pool = openPool({
      url: database.readerUrl,
      role: 'nexus_reader',
      max: 1,
      applicationName: 'test',
      statementTimeoutMs: 50,
    });
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
    await pool.end();
  });

  it('and a connection that dies while idle is replaced', async () => {
    const options = { max: 1, applicationName: 'dies', statementTimeoutMs: 5000 };
    const { promise: lost, resolve: tell } = Promise.withResolvers<Error>();
    const pool = openPool({
      ...options,
      url: database.readerUrl,
      role: 'nexus_reader',
      onError: tell,
    });
    await pool.query('select 1');
    const client = new Client({ connectionString: database.superuserUrl });
    await client.connect();
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dies'`,
    );
    await client.end();
    expect(await lost).toBeInstanceOf(Error);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
