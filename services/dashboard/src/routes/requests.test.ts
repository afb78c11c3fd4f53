import { RequestDetail, RequestList } from '@claude-nexus/api-contract';
import type { RequestList as RequestListType } from '@claude-nexus/api-contract';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BodyCorruptError, DatabaseUnavailableError } from '../errors.ts';
import { testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';
import { jsonBody, requestId, summary } from '../testing/fixtures.ts';

let dashboard: TestDashboard;

beforeEach(async () => {
  dashboard = await testDashboard();
});

afterEach(() => dashboard.app.close());

function problemOf(response: { headers: Record<string, unknown>; json: () => unknown }) {
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  return response.json() as {
    status: number;
    code: string;
    detail: string;
    errors: { field: string; fix: string }[];
  };
}

describe('GET /api/requests', () => {
  it('pages through everything, newest first, each request once', async () => {
    for (let n = 0; n < 7; n += 1) dashboard.store.put({ summary: summary(n) });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: RequestListType = (await dashboard.get(`/api/requests?limit=3${query}`)).json();
      seen.push(...page.requests.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map(requestId));
  });

  it('keeps to its schema', async () => {
    dashboard.store.put({ summary: summary(1) });
    const page: unknown = (await dashboard.get('/api/requests')).json();
    expect([...Value.Errors(RequestList, page)]).toEqual([]);
  });

  it('hands on a short page with a cursor when the scan budget is used up', async () => {
    for (let n = 0; n < 4; n += 1) dashboard.store.put({ summary: summary(n, { domain: 'b.example' }) });
    dashboard.store.scanBudget = 2;
    const page: RequestListType = (await dashboard.get('/api/requests?domain=a.example')).json();
    expect(page.requests).toEqual([]);
    expect(page.nextCursor).toEqual(expect.any(String));
  });

  it.each([
    ['domain=a.example&outcome=error', [2]],
    ['status=529', [2]],
    ['kind=subagent', [3]],
    ['from=2026-11-23T12:00:02Z&to=2026-11-23T13:00:03%2B01:00', [2]],
    ['agent=x%20y&model=m%2F1', [3]],
  ])('filters by %s', async (query, expected) => {
    dashboard.store.put({ summary: summary(1) });
    dashboard.store.put({ summary: summary(2, { outcome: 'error', status: 529 }) });
    dashboard.store.put({ summary: summary(3, { kind: 'subagent', agentId: 'x y', model: 'm/1' }) });
    const page: RequestListType = (await dashboard.get(`/api/requests?${query}`)).json();
    expect(page.requests.map(({ id }) => id)).toEqual(expected.map(requestId));
  });

  it.each([
    ['limit=0', 'limit', /integer from 1 to 200/],
    ['limit=201', 'limit', /integer from 1 to 200/],
    ['limit=abc', 'limit', /integer from 1 to 200/],
    ['limit=1.5', 'limit', /integer/],
    ['limit=1&limit=2', 'limit', /integer/],
    ['limit=', 'limit', /integer/],
    ['cursor=nonsense', 'cursor', /nextCursor/],
    ['cursor=AZqwAAAAcACAAAAAAAAAAAA=', 'cursor', /nextCursor/],
    ['cursor=%00', 'cursor', /nextCursor/],
    ['outcome=bad', 'outcome', /pending, completed, error/],
    ['kind=%F0%9F%92%A5', 'kind', /main, subagent/],
    ['status=99', 'status', /from 100 to 599/],
    ['domain=', 'domain', /1 to 256/],
    [`domain=${'x'.repeat(257)}`, 'domain', /1 to 256/],
    ['domain=a%00b', 'domain', /1 to 256/],
    ['domain=a&domain=b', 'domain', /once/],
    ['conversation=1', 'conversation', /UUID/],
    ['from=yesterday', 'from', /RFC 3339/],
    ['from=2026-11-23T23:59:60Z', 'from', /RFC 3339/],
    ['from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z', 'to', /later/],
    ['domian=a', 'domian', /known are domain, account/],
    ['__proto__=1', '__proto__', /remove/],
  ])('refuses %s, naming the field and the fix', async (query, field, fix) => {
    const response = await dashboard.get(`/api/requests?${query}`);
    expect(response.statusCode).toBe(400);
    const problem = problemOf(response);
    expect(problem).toMatchObject({ status: 400, code: 'NEXUS_INPUT_INVALID', errors: [{ field }] });
    expect(problem.errors[0]?.fix).toMatch(fix);
  });

  it('repeats no more than the beginning of an unknown name', async () => {
    const problem = problemOf(await dashboard.get(`/api/requests?${'x'.repeat(5_000)}=1`));
    expect(problem.errors[0]?.field).toHaveLength(100);
  });

  it('answers 503 without internal detail while the database is down, and recovers', async () => {
    dashboard.store.failure = new DatabaseUnavailableError({
      cause: new Error('connect ECONNREFUSED 10.1.2.3:5432'),
    });
    const response = await dashboard.get('/api/requests');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
    expect(response.body).not.toContain('10.1.2.3');
    expect(problemOf(response).code).toBe('NEXUS_DATABASE_UNAVAILABLE');
    dashboard.store.failure = undefined;
    expect((await dashboard.get('/api/requests')).statusCode).toBe(200);
  });

  it('answers 500 without internal detail for what was not foreseen', async () => {
    dashboard.store.failure = new Error('secret column "x"');
    const response = await dashboard.get('/api/requests');
    expect(response.statusCode).toBe(500);
    expect(problemOf(response)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      code: 'NEXUS_INTERNAL',
    });
  });
});

function lists(): number {
  return dashboard.store.calls.filter((name) => name === 'listRequests').length;
}

describe('caching', () => {
  it('answers from memory until something changes', async () => {
    dashboard.store.put({ summary: summary(1) });
    await dashboard.feed.read();
    const first = await dashboard.get('/api/requests');
    expect((await dashboard.get('/api/requests')).headers['etag']).toBe(first.headers['etag']);
    expect(lists()).toBe(1);
    dashboard.store.put({ summary: summary(2) });
    await dashboard.feed.read();
    expect((await dashboard.get('/api/requests')).headers['etag']).not.toBe(first.headers['etag']);
    expect(lists()).toBe(2);
  });

  it('answers 304 to those who have it', async () => {
    const { headers } = await dashboard.get('/api/requests');
    const again = await dashboard.get('/api/requests', {
      'if-none-match': `"x", W/${String(headers['etag'])}`,
    });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
    expect(again.headers['etag']).toBe(headers['etag']);
  });

  it('does not answer from memory while changes cannot be seen', async () => {
    await dashboard.get('/api/requests');
    dashboard.store.failure = new DatabaseUnavailableError();
    await dashboard.feed.read();
    expect((await dashboard.get('/api/requests')).statusCode).toBe(503);
  });
});

describe('caching without a feed', () => {
  it('asks the database every time', async () => {
    dashboard.clock.now += 60_000;
    await dashboard.get('/api/requests');
    dashboard.store.put({ summary: summary(1) });
    const page: RequestListType = (await dashboard.get('/api/requests')).json();
    expect(page.requests).toHaveLength(1);
  });
});

describe('GET /api/requests/:id', () => {
  it('gives everything about one request, by its schema', async () => {
    dashboard.store.put({
      summary: summary(1),
      requestHeaders: [
        ['content-type', 'application/json'],
        ['authorization', null],
      ],
      timing: { atMs: [3, 9], bytes: [100, 20], truncated: false },
      request: jsonBody({
        model: 'm',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'hello' }],
        tools: [{ name: 'Bash' }],
      }),
      response: jsonBody({
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'hi' }],
        usage: { x: 1 },
      }),
    });
    const detail = (await dashboard.get(`/api/requests/${requestId(1)}`)).json<RequestDetail>();
    expect([...Value.Errors(RequestDetail, detail)]).toEqual([]);
    expect(detail).toMatchObject({
      id: requestId(1),
      linkage: null,
      requestHeaders: [
        ['content-type', 'application/json'],
        ['authorization', null],
      ],
      request: {
        parseError: null,
        bodyUrl: `api/requests/${requestId(1)}/request-body`,
        tools: ['Bash'],
        messages: [{ index: 0, role: 'user', blocks: [{ type: 'text', text: 'hello' }] }],
      },
      response: { message: { blocks: [{ text: 'hi' }] } },
    });
  });

  it('says why a body cannot be shown instead of failing', async () => {
    dashboard.store.put({ summary: summary(1), request: jsonBody('<html>'), response: jsonBody('{"a":1}') });
    const detail = (await dashboard.get(`/api/requests/${requestId(1)}`)).json<RequestDetail>();
    expect(detail.request.parseError).toBe('The body is not JSON.');
    expect(detail.response.parseError).toBe('The body is JSON, but not a message.');
  });

  it('shows the rest when a body is damaged', async () => {
    dashboard.store.put({ summary: summary(1), response: jsonBody({ content: [] }) });
    dashboard.store.readRequestBody = () => Promise.reject(new BodyCorruptError());
    const response = await dashboard.get(`/api/requests/${requestId(1)}`);
    expect(response.statusCode).toBe(200);
    expect(response.json<RequestDetail>().request.parseError).toMatch(/damaged/);
  });

  it.each([
    [requestId(9), 404, 'NEXUS_REQUEST_NOT_FOUND'],
    ['1', 400, 'NEXUS_INPUT_INVALID'],
    ['..%2f..%2fetc', 400, 'NEXUS_INPUT_INVALID'],
    [`${requestId(9)}%00`, 400, 'NEXUS_INPUT_INVALID'],
  ])('answers %s with %i %s', async (id, status, code) => {
    const response = await dashboard.get(`/api/requests/${id}`);
    expect(response.statusCode).toBe(status);
    expect(problemOf(response).code).toBe(code);
  });

  it('accepts ids in capitals', async () => {
    dashboard.store.put({ summary: summary(10) });
    expect((await dashboard.get(`/api/requests/${requestId(10).toUpperCase()}`)).statusCode).toBe(200);
  });
});

describe('GET bodies', () => {
  it('gives exact bytes that no browser runs', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x3c, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x3e]);
    dashboard.store.put({
      summary: summary(1),
      response: { bytes, encoding: undefined, contentType: 'text/html; charset=utf-8', complete: true },
    });
    const response = await dashboard.get(`/api/requests/${requestId(1)}/response-body`);
    expect(response.rawPayload.equals(bytes)).toBe(true);
    expect(response.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${requestId(1)}-response.bin"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'cache-control': 'private, no-store',
    });
  });

  it('sends compressed bytes as stored, naming the coding without declaring it', async () => {
    const bytes = Buffer.from('not really gzip');
    const body = { bytes, encoding: 'gzip\r\nx: y', contentType: 'application/json', complete: true };
    dashboard.store.put({ summary: summary(1), request: body });
    const response = await dashboard.get(`/api/requests/${requestId(1)}/request-body`);
    expect(response.rawPayload.equals(bytes)).toBe(true);
    expect(response.headers['content-encoding']).toBeUndefined();
    expect(response.headers['nexus-stored-encoding']).toBe('gzipx y');
    expect(response.headers['content-type']).toBe('application/octet-stream');
  });

  it('answers 404 for a body that is not stored', async () => {
    dashboard.store.put({ summary: summary(1) });
    const response = await dashboard.get(`/api/requests/${requestId(1)}/request-body`);
    expect(response.statusCode).toBe(404);
    expect(problemOf(response).code).toBe('NEXUS_BODY_NOT_STORED');
  });
});
