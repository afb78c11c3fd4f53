import { uuidTime, weekOf } from '@claude-nexus/domain';
import { Client } from 'pg';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import {
  sampleBatch,
  sampleFrame,
  sampleHash,
  sampleIds,
  samplePath,
  sampleRequest,
  sampleUsage,
} from '../testing/sample-rows.ts';
import { tokenTotals } from '../usage/token-totals.ts';
import { commitExchanges } from './commit-exchanges.ts';
import { putPieces } from './put-pieces.ts';

let database: TestDatabase;
let writer: Pool;
let superuser: Client;
const nextId = sampleIds();

beforeEach(async () => {
  database = await createTestDatabase();
  const options = { max: 8, applicationName: 'test', statementTimeoutMs: 20_000 };
  writer = openPool({ ...options, url: database.writerUrl, role: 'nexus_writer' });
  superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
});
afterEach(async () => {
  await superuser.end();
  await writer.end();
  await database.drop();
});

async function rows<R extends object = Record<string, unknown>>(
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  return (await superuser.query(sql, values)).rows as R[];
}

/** Everything a replay must leave as it is, the recorder's heartbeat excepted. */
async function snapshot(): Promise<unknown> {
  const tables = ['frame', 'piece', 'node', 'request', 'open_request', 'usage_rollup', 'change', 'source'];
  const found: unknown[] = [];
  for (const table of tables) {
    found.push(await rows(`select t.*, t.xmin::text, t.ctid::text from nexus.${table} t order by t::text`));
  }
  return found;
}

/** Rollups recomputed from the rows they are the sum of; histograms as bucket:count lists. */
async function rollupDifferences(): Promise<unknown[]> {
  return rows(`
    with held as (
      select bucket, domain, account_id, model, kind, outcome, requests, unpriced_requests, input_tokens,
        output_tokens, thinking_tokens, request_bytes, response_bytes, cost_usd, histogram
      from nexus.usage_rollup where requests <> 0
    ), due as (
      select date_bin('15 minutes', nexus.id_time(r.id), '2000-01-01 00:00:00+00'), s.domain, coalesce(s.account_id, ''),
        coalesce(r.model, ''), r.kind, r.outcome, count(*),
        count(*) filter (where r.input_tokens is not null and r.cost_usd is null),
        coalesce(sum(r.input_tokens), 0)::bigint, coalesce(sum(r.output_tokens), 0)::bigint,
        coalesce(sum(r.thinking_tokens), 0)::bigint, sum(r.request_length)::bigint, sum(r.response_length)::bigint,
        coalesce(sum(r.cost_usd), 0),
        nexus.code_counts(array_remove(array_agg(r.duration_bucket::int) || array_agg(1000 + r.first_token_bucket)
          || array_agg(2000 + r.speed_bucket), null), null)
      from nexus.request r
      join nexus.source s on s.id = r.source_id group by 1, 2, 3, 4, 5, 6
    )
    (table held except table due) union all (table due except table held)`);
}

const sorted = (list: Buffer[]): string[] => list.map((hash) => hash.toString('hex')).toSorted();

describe('commitExchanges', () => {
  it('stores every field of a row, and the same batch again changes nothing', async () => {
    const id = nextId();
    const week = weekOf(uuidTime(id));
    const { frame, pieces } = sampleFrame(id, ['head', 'tail', 'a long text']);
    const nodes = samplePath(week, ['hello', 'hi']);
    const request = sampleRequest({
      id,
      clientKeyName: 'laptop',
      sessionId: 'session-1',
      agentId: 'agent-1',
      parentAgentId: 'agent-0',
      promptId: 'prompt-1',
      requestClass: 'main',
      agentType: 'explore',
      deviceId: 'device-1',
      accountUuid: 'uuid-1',
      userAgent: 'claude-cli/2',
      errorType: 'overloaded_error',
      errorMessage: 'Overloaded',
      stopReason: 'end_turn',
      firstTokenMs: 400,
      durationMs: 2400,
      upstreamRequestId: 'req_1',
      upstreamMessageId: 'msg_1',
      usage: { ...sampleUsage(10), serviceTier: 'standard', inferenceGeo: 'eu', speed: 'fast' },
      costUsd: '0.001230',
      toolCallCount: 2,
      messageCount: 3,
      requestForm: 'tree',
      requestSha256: Buffer.alloc(32, 1),
      requestEncoding: 'gzip',
      leafNode: nodes[1]?.hash,
      headHash: sampleHash('head'),
      tailHash: sampleHash('tail'),
      responseForm: 'message',
      responseSha256: Buffer.alloc(32, 2),
      responseEncoding: 'br',
    });
    const batch = sampleBatch({ frames: [frame], pieces, nodes, requests: [request] });
    await commitExchanges(writer, batch);

    const [stored] = await rows('select * from nexus.request');
    expect(Object.entries(stored ?? {}).filter(([, value]) => value === null)).toEqual([]);
    expect(stored).toMatchObject({
      id,
      started_at: new Date(request.startedAt),
      input_tokens: 10,
      cost_usd: '0.001230',
      leaf_node: nodes[1]?.hash,
      request_sha256: Buffer.alloc(32, 1),
      speed: 'fast',
    });
    const [source] = await rows('select * from nexus.source');
    expect(Object.entries(source ?? {}).filter(([, value]) => value === null)).toEqual([]);
    expect(await rows('select data from nexus.frame')).toEqual([{ data: frame.data }]);
    expect(await rows('select hash, "offset", length from nexus.piece order by "offset"')).toEqual(
      pieces.map(({ hash, offset, length }) => ({ hash, offset, length })),
    );
    expect(
      await rows(
        'select hash, parent, depth, strict_chain, loose_chain, recipe from nexus.node order by depth',
      ),
    ).toEqual(
      nodes.map((node) => ({
        hash: node.hash,
        parent: node.parent ?? null,
        depth: node.depth,
        strict_chain: node.strictChain.subarray(0, 8),
        loose_chain: node.looseChain.subarray(0, 8),
        recipe: node.recipe,
      })),
    );
    expect(await rollupDifferences()).toEqual([]);

    const before = await snapshot();
    await commitExchanges(writer, batch);
    expect(await snapshot()).toEqual(before);
  });

  it('replaces a pending row by its end, never the other way round', async () => {
    const id = nextId();
    const pending = sampleRequest({ id, outcome: 'pending', model: 'claude-x' });
    const { status: _status, ...open } = pending;
    const done = sampleRequest({
      id,
      model: 'claude-y',
      usage: sampleUsage(7),
      durationMs: 900,
      costUsd: '0.5',
    });
    await commitExchanges(writer, sampleBatch({ requests: [open] }));
    expect(await rollupDifferences()).toEqual([]);
    await commitExchanges(writer, sampleBatch({ requests: [done] }));
    const before = await snapshot();
    await commitExchanges(writer, sampleBatch({ requests: [open] }));
    expect(await snapshot()).toEqual(before);
    expect(await rows('select outcome, model, status from nexus.request')).toEqual([
      { outcome: 'completed', model: 'claude-y', status: 200 },
    ]);
    expect(await rollupDifferences()).toEqual([]);
    expect(await rows('select outcome, requests::int from nexus.usage_rollup where requests <> 0')).toEqual([
      { outcome: 'completed', requests: 1 },
    ]);
    expect(await rows('select count(*)::int from nexus.change')).toEqual([{ count: 2 }]);
  });

  it('takes both states of one request in one batch', async () => {
    const id = nextId();
    const requests = [sampleRequest({ id }), sampleRequest({ id, outcome: 'pending' })];
    await commitExchanges(writer, sampleBatch({ requests }));
    expect(await rows('select outcome from nexus.request')).toEqual([{ outcome: 'completed' }]);
  });

  it('leaves no dead rows behind when requests end', async () => {
    const rows20 = Array.from({ length: 20 }, () => sampleRequest({ id: nextId(), usage: sampleUsage(1) }));
    for (const row of rows20) {
      await commitExchanges(writer, sampleBatch({ requests: [{ ...row, outcome: 'pending' }] }));
      await commitExchanges(writer, sampleBatch({ requests: [row] }));
    }
    await writer.query('select pg_stat_force_next_flush()');
    const stats = await rows(`
      select sum(n_tup_ins)::int as inserted, sum(n_tup_upd + n_tup_del)::int as died
      from pg_stat_user_tables where schemaname = 'nexus' and relname like 'request\\_%'`);
    expect(stats).toEqual([{ inserted: 20, died: 0 }]);
    expect(await rows('select * from nexus.open_request')).toEqual([]);
  });

  it('replaces an end by another one', async () => {
    const id = nextId();
    await commitExchanges(writer, sampleBatch({ requests: [sampleRequest({ id, outcome: 'interrupted' })] }));
    await commitExchanges(writer, sampleBatch({ requests: [sampleRequest({ id, usage: sampleUsage(3) })] }));
    expect(await rows('select outcome, input_tokens from nexus.request')).toEqual([
      { outcome: 'completed', input_tokens: 3 },
    ]);
    expect(await rollupDifferences()).toEqual([]);
  });

  it('refuses a batch whose leaf, parent or piece is not stored, and writes nothing of it', async () => {
    const id = nextId();
    const week = weekOf(uuidTime(id));
    const path = samplePath(week, ['one', 'two', 'three']);
    const withoutMiddle = path.filter((node) => node.depth !== 1);
    const stray = sampleHash('never stored');
    const other = sampleFrame(nextId(), ['piece of an unknown frame']);
    const bad = [
      {
        what: 'parent',
        hash: path[1]?.hash,
        batch: { nodes: withoutMiddle, requests: [sampleRequest({ id })] },
      },
      { what: 'leaf', hash: stray, batch: { requests: [sampleRequest({ id, leafNode: stray })] } },
      { what: 'piece', hash: stray, batch: { requests: [sampleRequest({ id, headHash: stray })] } },
      { what: 'piece', hash: other.pieces[0]?.hash, batch: { pieces: other.pieces } },
      {
        what: 'base',
        hash: Buffer.from(other.frame.requestId.replaceAll('-', ''), 'hex'),
        batch: { frames: [{ ...sampleFrame(id, ['a']).frame, base: other.frame.requestId }] },
      },
    ];
    for (const { what, hash, batch } of bad) {
      await expect(commitExchanges(writer, sampleBatch(batch))).rejects.toMatchObject({
        code: 'NEXUS_MISSING_NODE',
        what,
        hashes: [hash?.toString('hex')],
      });
    }
    expect(
      await rows('select (select count(*) from nexus.node) + (select count(*) from nexus.request) as n'),
    ).toEqual([{ n: '0' }]);
    await commitExchanges(writer, sampleBatch({ nodes: path.slice(0, 2) }));
    await commitExchanges(
      writer,
      sampleBatch({
        nodes: path.slice(2),
        requests: [sampleRequest({ id, ...(path[2] && { leafNode: path[2].hash }) })],
      }),
    );
  });

  it('does not trust the offsets of a frame that was there already', async () => {
    const id = nextId();
    const first = sampleFrame(id, ['a', 'b']);
    const batch = sampleBatch({ frames: [first.frame], pieces: first.pieces });
    expect(await commitExchanges(writer, batch)).toBe(true);
    // Nor may frames be based on it: its sender is told that what is stored may be another.
    expect(await commitExchanges(writer, batch)).toBe(false);
    const based = { ...sampleFrame(nextId(), ['c']).frame, base: id };
    await expect(
      commitExchanges(writer, sampleBatch({ frames: [first.frame, based] })),
    ).rejects.toMatchObject({ code: 'NEXUS_MISSING_NODE', what: 'base' });
    expect(await commitExchanges(writer, sampleBatch({ frames: [based] }))).toBe(true);
    const second = sampleFrame(id, ['bb', 'c']);
    await expect(
      commitExchanges(writer, sampleBatch({ frames: [second.frame], pieces: second.pieces })),
    ).rejects.toMatchObject({ code: 'NEXUS_MISSING_NODE', what: 'piece' });
    const stored = await rows('select data from nexus.frame where request_id = $1', [id]);
    expect(stored).toEqual([{ data: first.frame.data }]);
  });

  it.each([
    ['NUL and lone surrogates', 'a\0b\u{d800}c', 'a\u{fffd}b\u{fffd}c'],
    ['text longer than an index entry', 'é'.repeat(5000), 'é'.repeat(200)],
  ])('stores %s', async (_name, given, stored) => {
    const request = sampleRequest({
      id: nextId(),
      sessionId: given,
      agentId: given,
      model: given,
      accountId: given,
      domain: given,
      scope: given,
      userAgent: given,
      errorMessage: given,
      costUsd: 'not money',
      durationMs: Number.NaN,
      firstTokenMs: 1e300,
      requestLength: -1,
      usage: { ...sampleUsage(1), inputTokens: 1e300, outputTokens: Number.NaN, serviceTier: given },
    });
    const batch = sampleBatch({
      requests: [request],
      recorder: { id: given, stats: { [given]: [given, { x: given }] } },
    });
    await commitExchanges(writer, batch);
    expect(
      await rows('select session_id, input_tokens, output_tokens, cost_usd, duration_ms from nexus.request'),
    ).toEqual([
      {
        session_id: stored,
        input_tokens: 2_147_483_647,
        output_tokens: null,
        cost_usd: null,
        duration_ms: null,
      },
    ]);
    expect(await rollupDifferences()).toEqual([]);
  });

  it.each([
    ['id', { requests: [{ ...sampleRequest({ id: nextId() }), id: 'no uuid' }] }],
    ['startedAt', { requests: [sampleRequest({ id: nextId(), startedAt: Number.NaN })] }],
    ['leafNode', { requests: [sampleRequest({ id: nextId(), leafNode: Buffer.alloc(15) })] }],
    ['node.hash', { nodes: samplePath(1, ['x']).map((node) => ({ ...node, hash: Buffer.alloc(3) })) }],
    [
      'piece.week',
      { pieces: sampleFrame(nextId(), ['x']).pieces.map((piece) => ({ ...piece, week: 1e12 })) },
    ],
  ])('names the field %s when a row cannot be stored', async (field, change) => {
    await expect(commitExchanges(writer, sampleBatch(change))).rejects.toMatchObject({
      code: 'NEXUS_INVALID_ROW',
      field,
    });
  });
});

/** Returns when so many connections of this database wait for a lock. */
async function waitingWriters(count: number): Promise<void> {
  const waiting = `select count(distinct pid)::int as count from pg_locks where not granted and pid in (
    select pid from pg_stat_activity where datname = current_database())`;
  const watcher = new Client({ connectionString: database.superuserUrl });
  await watcher.connect();
  let seen = 0;
  while (seen < count) {
    const found = await watcher.query<{ count: number }>(waiting);
    seen = found.rows[0]?.count ?? 0;
  }
  await watcher.end();
}

describe('concurrent writers', () => {
  it('of the same pieces, nodes and rollups do not deadlock and count exactly', async () => {
    const contents = Array.from({ length: 60 }, (_, index) => `shared piece ${index}`);
    const week = weekOf(Date.now());
    const work = Array.from({ length: 8 }, async (_, seed) => {
      for (let round = 0; round < 12; round += 1) {
        const id = nextId();
        const order = round % 2 === seed % 2 ? contents : contents.toReversed();
        const { frame, pieces } = sampleFrame(id, [...order.slice(round), `own ${seed} ${round}`]);
        const nodes = samplePath(week, order.slice(0, 10 + round));
        const row = sampleRequest({
          id,
          model: `model-${round % 3}`,
          domain: `domain-${seed % 2}`,
          usage: sampleUsage(round + 1),
          durationMs: 50 * (seed + 1),
          firstTokenMs: 10,
          costUsd: '0.01',
        });
        await commitExchanges(
          writer,
          sampleBatch({ frames: [frame], pieces, nodes, requests: [{ ...row, outcome: 'pending' }] }),
        );
        await commitExchanges(writer, sampleBatch({ requests: [row] }));
      }
    });
    await Promise.all(work);
    expect(await rollupDifferences()).toEqual([]);
    expect(await tokenTotals(writer, {})).toMatchObject({
      requests: 96,
      inputTokens: 8 * 78,
      costUsd: '0.96',
    });
    expect(await tokenTotals(writer, { domain: 'domain-1' })).toMatchObject({ requests: 48 });
    expect(await tokenTotals(writer, { domain: 'domain-1', accountId: 'nobody' })).toMatchObject({
      requests: 0,
      costUsd: '0',
    });
  });

  it('of the same pieces in different order wait for each other in one direction only', async () => {
    const [first, middle, last] = ['a', 'b', 'c'].toSorted((a, b) =>
      sampleHash(a).compare(sampleHash(b)),
    ) as [string, string, string];
    // Holds up both writers half way, so that each has one piece and wants the other's.
    await superuser.query('begin');
    await superuser.query(
      `insert into nexus.piece (week, hash, request_id, part, "offset", length) values ($1, $2, $3, 0, 0, 1)`,
      [weekOf(Date.now()), sampleHash(middle), nextId()],
    );
    const commits = [
      [first, middle, last],
      [last, middle, first],
    ].map(async (order) => {
      const { frame, pieces } = sampleFrame(nextId(), order);
      await commitExchanges(writer, sampleBatch({ frames: [frame], pieces }));
    });
    await waitingWriters(2);
    await superuser.query('rollback');
    await expect(Promise.all(commits)).resolves.toHaveLength(2);
    expect(await rows('select count(*)::int from nexus.piece')).toEqual([{ count: 3 }]);
  });

  it('of both states of a request leave the end, in whichever order they arrive', async () => {
    const row = sampleRequest({ id: nextId() });
    // Their common source is there already: making it would put them in line by itself.
    await commitExchanges(writer, sampleBatch({ requests: [sampleRequest({ id: nextId() })] }));
    const ending = await writer.connect();
    await ending.query('begin');
    await commitExchanges(ending, sampleBatch({ requests: [row] }));
    const late = commitExchanges(writer, sampleBatch({ requests: [{ ...row, outcome: 'pending' }] }));
    await Promise.race([late, waitingWriters(1)]);
    await ending.query('commit');
    ending.release();
    await late;
    expect(await rows('select id from nexus.open_request')).toEqual([]);
    expect(await rows('select id from nexus.request where id = $1', [row.id])).toHaveLength(1);
  });

  it('of the same request count it once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = nextId();
      const pending = sampleRequest({ id, outcome: 'pending' });
      const done = sampleRequest({ id, usage: sampleUsage(1) });
      const batches = [pending, done, done, pending, done, done].map((row) =>
        sampleBatch({ requests: [row] }),
      );
      await Promise.all(batches.map((batch) => commitExchanges(writer, batch)));
      expect(await rollupDifferences()).toEqual([]);
    }
    expect(await tokenTotals(writer, {})).toMatchObject({ requests: 10, inputTokens: 10 });
  });
});

describe('putPieces', () => {
  it('answers which hashes the week lacks', async () => {
    const id = nextId();
    const { frame, pieces } = sampleFrame(id, ['known', 'also known']);
    await commitExchanges(writer, sampleBatch({ frames: [frame], pieces }));
    const week = weekOf(uuidTime(id));
    const hashes = ['known', 'new', 'also known', 'newer'].map(sampleHash);
    expect(sorted(await putPieces(writer, { week, hashes }))).toEqual(
      sorted(['new', 'newer'].map(sampleHash)),
    );
    expect(await putPieces(writer, { week: week + 1, hashes })).toHaveLength(4);
    expect(await putPieces(writer, { week, hashes: [] })).toEqual([]);
  });
});
