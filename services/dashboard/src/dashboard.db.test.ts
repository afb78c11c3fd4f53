import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { RequestDetail, RequestList, StorageStats } from '@claude-nexus/api-contract';
import { listenForChanges, openPool } from '@claude-nexus/database';
import type { ChangeListener } from '@claude-nexus/database';
import { createTestDatabase } from '@claude-nexus/database/testing';
import type { TestDatabase } from '@claude-nexus/database/testing';
import { createLogger } from '@claude-nexus/runtime';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDashboard } from './app.ts';
import type { Dashboard } from './app.ts';
import { createDatabaseStore } from './database/database-store.ts';
import { KEY } from './testing/dashboard.ts';
import { openTestRecorder } from './testing/recorded.ts';
import type { TestRecorder } from './testing/recorded.ts';
import { connectEvents, readUntil } from './testing/sse-client.ts';

let database: TestDatabase;
let pool: ReturnType<typeof openPool>;
let recorder: TestRecorder;
let dashboard: Dashboard;
let listener: ChangeListener;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({
    url: database.readerUrl,
    role: 'nexus_reader',
    max: 4,
    applicationName: 'dashboard-test',
    statementTimeoutMs: 5_000,
  });
  recorder = await openTestRecorder(database.writerUrl);
  const logger = createLogger({ name: 'dashboard', level: 'silent' });
  dashboard = await buildDashboard({
    store: createDatabaseStore(pool),
    logger,
    apiKey: KEY,
    webRoot: '/nowhere',
  });
  await dashboard.app.listen({ host: '127.0.0.1', port: 0 });
  listener = listenForChanges({
    url: database.readerUrl,
    applicationName: 'dashboard-test-doorbell',
    onChange: () => dashboard.feed.ring(),
  });
  await dashboard.feed.read();
});

afterAll(async () => {
  await listener.close();
  await dashboard.app.close();
  await recorder.close();
  await pool.end();
  await database.drop();
});

async function fetched(path: string) {
  return dashboard.app.inject({ url: path, headers: { authorization: `Bearer ${KEY}` } });
}

/** The detail of a request once it has ended. */
async function detailOf(id: string): Promise<RequestDetail> {
  const path = `/api/requests/${id}`;
  await expect
    .poll(async () => (await fetched(path)).json<RequestDetail>().durationMs, { timeout: 10_000 })
    .toBe(100);
  return (await fetched(path)).json();
}

async function bodyOf(id: string, side: 'request' | 'response') {
  return fetched(`/api/requests/${id}/${side}-body`);
}

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

const STREAM = [
  event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [],
      stop_reason: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello, ' } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'world' } }),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
  event('message_stop', {}),
];

const SSE_HEADERS = ['content-type', 'text/event-stream', 'request-id', 'req_1'];

describe('a recorded exchange', () => {
  it('comes back with its exact bodies, parsed messages, headers and timing', async () => {
    // Spelled as no serialiser would, with a duplicate key and a number beyond a double.
    const request = `{"model":"claude-sonnet-4-5", "max_tokens":12e1,"messages":[{"role":"user","content":"${'long '.repeat(300)}"}],"x":12345678901234567890,"x":1}`;
    const answer = JSON.stringify({
      id: 'msg_0',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: 'short' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    const id = await recorder.record({ request, response: [answer.slice(0, 30), answer.slice(30)] });
    const detail = await detailOf(id);
    expect([...Value.Errors(RequestDetail, detail)]).toEqual([]);
    expect(detail).toMatchObject({
      outcome: 'completed',
      inputTokens: 3,
      requestHeaders: [
        ['Content-Type', 'application/json'],
        ['Authorization', null],
      ],
      responseHeaders: [
        ['content-type', 'application/json'],
        ['set-cookie', null],
      ],
      request: { parseError: null, messages: [{ role: 'user', blocks: [{ truncated: false }] }] },
      response: { message: { blocks: [{ text: 'short' }] } },
      timing: { atMs: [10, 20], bytes: [30, answer.length - 30] },
      storage: { requestForm: 'tree', responseForm: 'exact', requestLength: request.length },
    });
    expect((await bodyOf(id, 'request')).body).toBe(request);
    const response = await bodyOf(id, 'response');
    expect(response.body).toBe(answer);
    expect(createHash('sha256').update(response.rawPayload).digest('hex')).toBe(
      detail.storage.responseSha256,
    );
    expect(JSON.stringify(detail)).not.toContain('secret');
  });

  it('that was streamed comes back as the message it amounts to', async () => {
    const id = await recorder.record({
      request: '{"messages":[]}',
      response: STREAM,
      responseHeaders: SSE_HEADERS,
    });
    const detail = await detailOf(id);
    expect(detail).toMatchObject({
      streaming: true,
      upstreamRequestId: 'req_1',
      outputTokens: 7,
      response: { complete: true, message: { stopReason: 'end_turn', blocks: [{ text: 'Hello, world' }] } },
      storage: { responseForm: 'message' },
    });
    const body = await bodyOf(id, 'response');
    expect(body.json()).toMatchObject({ content: [{ type: 'text', text: 'Hello, world' }] });
    expect(body.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('that was cut comes back with its raw bytes and as far as it got', async () => {
    const end = { outcome: 'aborted' } as const;
    const response = STREAM.slice(0, 3);
    const id = await recorder.record({ request: '{}', response, responseHeaders: SSE_HEADERS, end });
    const detail = await detailOf(id);
    expect(detail).toMatchObject({
      outcome: 'aborted',
      response: { complete: false, message: { blocks: [{ text: 'Hello, ' }] } },
      storage: { responseForm: 'raw' },
    });
    expect((await bodyOf(id, 'response')).body).toBe(response.join(''));
  });

  it('that was compressed comes back as it was, and readable', async () => {
    const request = gzipSync('{"model":"m","messages":[{"role":"user","content":"packed"}]}');
    const headers = ['content-type', 'application/json', 'content-encoding', 'gzip'];
    const id = await recorder.record({ request, begin: { headers }, response: ['<html>'], status: 502 });
    const detail = await detailOf(id);
    expect(detail).toMatchObject({
      status: 502,
      request: { messages: [{ blocks: [{ text: 'packed' }] }] },
      response: { parseError: 'The body is not JSON.' },
    });
    const body = await bodyOf(id, 'request');
    expect(body.rawPayload.equals(request)).toBe(true);
    expect(body.headers['nexus-stored-encoding']).toBe('gzip');
  });

  it('of a long conversation shares what was stored before', async () => {
    const messages = Array.from({ length: 60 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `message ${n} ${createHash('sha256').update(String(n)).digest('hex').repeat(20)}`,
    }));
    const headers = ['content-type', 'application/json', 'x-claude-code-session-id', 'long-session'];
    const ids: string[] = [];
    for (let turn = 1; turn <= 60; turn += 2) {
      const request = JSON.stringify({ model: 'm', messages: messages.slice(0, turn) });
      ids.push(await recorder.record({ request, begin: { headers }, response: ['{}'] }));
    }
    const detail = await detailOf(ids.at(-1) ?? '');
    expect(detail).toMatchObject({ sessionId: 'long-session', messageCount: 59 });
    expect(detail.request.messages).toHaveLength(59);
    const list = (await fetched('/api/requests?session=long-session&limit=200')).json<RequestList>();
    expect(list.requests.map(({ id }) => id)).toEqual(ids.toReversed());
    expect([...Value.Errors(RequestList, list)]).toEqual([]);
  });

  it('without bodies has none', async () => {
    const id = await recorder.record({
      request: '',
      begin: { recordBody: false, path: '/v1/models' },
      response: ['{}'],
    });
    const detail = await detailOf(id);
    expect(detail).toMatchObject({ kind: 'other', request: { bodyUrl: null }, response: { bodyUrl: null } });
    expect((await bodyOf(id, 'request')).json()).toMatchObject({ code: 'NEXUS_BODY_NOT_STORED' });
  });
});

describe('everything recorded', () => {
  it('is paged, each request once', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: RequestList = (
        await fetched(`/api/requests?limit=7${cursor && `&cursor=${cursor}`}`)
      ).json();
      seen.push(...page.requests.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen.length).toBeGreaterThanOrEqual(35);
    expect(seen).toEqual([...new Set(seen)].toSorted().toReversed());
  });

  it('is counted', async () => {
    const stats = (await fetched('/api/storage-stats?domain=a.example')).json<StorageStats>();
    expect([...Value.Errors(StorageStats, stats)]).toEqual([]);
    expect(stats.totals.requests).toBeGreaterThanOrEqual(35);
    expect(stats.byKind.length).toBeGreaterThan(0);
    expect(stats.recorders).toMatchObject([{ recorderId: 'test-recorder' }]);
    expect(stats.storedBytes.total).toBeGreaterThan(0);
    expect(
      (await fetched('/api/storage-stats?domain=other.example')).json<StorageStats>().totals.requests,
    ).toBe(0);
  });

  it.each([
    'domain=%E2%80%AE',
    'model=x',
    'agent=a',
    'status=599',
    'conversation=019ab000-0000-7000-8000-000000000001',
    'from=0000-01-01T00:00:00Z',
    'to=9999-12-31T23:59:59Z&from=9999-01-01T00:00:00Z',
  ])('can be asked for with %s', async (query) => {
    expect((await fetched(`/api/requests?${query}`)).statusCode).toBe(200);
  });

  it.each(['from=0000-01-01T00:00:00Z', 'to=9999-12-31T23:59:59Z', 'from=9999-01-01T00:00:00Z'])(
    'can be counted with %s',
    async (query) => {
      expect((await fetched(`/api/storage-stats?${query}`)).statusCode).toBe(200);
    },
  );
});

describe('live events', () => {
  it('tell of a request soon after it was recorded, and again to those who were away', async () => {
    const live = await connectEvents(dashboard.app.server);
    const start = await readUntil(live, 'event: heartbeat');
    const id = await recorder.record({ request: '{"messages":[]}', response: ['{}'] });
    await readUntil(live, `"id":"${id}"`);
    live.destroy();
    const position = /id: (\S+)\nevent: heartbeat/.exec(start)?.[1] ?? '';
    const again = await connectEvents(dashboard.app.server, { headers: { 'last-event-id': position } });
    expect(await readUntil(again, 'event: heartbeat')).toContain(`"id":"${id}"`);
    again.destroy();
    const strange = await connectEvents(dashboard.app.server, {
      headers: { 'last-event-id': '9999999999999-1' },
    });
    expect(await readUntil(strange, 'event: heartbeat')).toContain('"reason":"unknown-position"');
    strange.destroy();
  });
});
