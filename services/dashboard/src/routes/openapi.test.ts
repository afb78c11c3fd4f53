import type { Problem } from '@claude-nexus/api-contract';
import * as fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';
import { jsonBody, requestId, summary } from '../testing/fixtures.ts';

interface Operation {
  readonly tags: string[];
  readonly security?: object[];
  readonly parameters?: { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

let dashboard: TestDashboard;
let description: Description;

beforeAll(async () => {
  dashboard = await testDashboard();
  const message = { content: [{ type: 'text', text: 'x' }] };
  dashboard.store.put({
    summary: summary(1),
    request: jsonBody({ messages: [] }),
    response: jsonBody(message),
  });
  description = (await dashboard.get('/api/openapi.json')).json();
});

afterAll(() => dashboard.app.close());

function operations(): { path: string; operation: Operation }[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
}

/** Status of the answer; 0 for a failure that is not a problem as RFC 9457 has it. */
async function answered(options: InjectOptions): Promise<number> {
  const headers = { 'x-dashboard-key': KEY, ...options.headers };
  const response = await dashboard.app.inject({ ...options, headers });
  if (response.statusCode < 400) return response.statusCode;
  const type = response.headers['content-type'];
  const problem = String(type).startsWith('application/problem+json') ? response.json<Problem>() : undefined;
  return problem?.status === response.statusCode && problem.code.startsWith('NEXUS_') ? problem.status : 0;
}

describe('GET /api/openapi.json', () => {
  it('describes every route of the API and no other', () => {
    expect(description.openapi).toBe('3.1.0');
    const routes = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      'delete /api/session',
      'get /api/openapi.json',
      'get /api/proxy',
      'get /api/requests',
      'get /api/requests/{id}',
      'get /api/requests/{id}/request-body',
      'get /api/requests/{id}/response-body',
      'get /api/session',
      'get /api/storage-stats',
      'get /health',
      'get /health/live',
      'get /health/ready',
      'get /sse',
      'post /api/session',
    ]);
  });

  it('names the refusal of every guarded route', () => {
    const guarded = operations().filter(({ operation }) => operation.security === undefined);
    expect(guarded.length).toBeGreaterThan(6);
    expect(guarded.filter(({ operation }) => operation.responses['401'] === undefined)).toEqual([]);
  });

  it('declares problem details for every failure', () => {
    const failures = operations()
      .filter(({ path }) => !path.startsWith('/health'))
      .flatMap(({ operation }) => Object.entries(operation.responses))
      .filter(([status]) => Number(status) >= 400);
    const media = failures.flatMap(([, answer]) => Object.keys(answer.content ?? {}));
    expect(media).toHaveLength(failures.length);
    expect(new Set(media)).toEqual(new Set(['application/problem+json']));
  });

  it('describes parameters with their bounds', () => {
    const list = description.paths['/api/requests']?.['get'];
    const limit = list?.parameters?.find(({ name }) => name === 'limit');
    expect(limit?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 200, default: 50 });
    expect(list?.parameters?.map(({ name }) => name)).toEqual(
      'domain account model status outcome kind conversation session agent from to limit cursor'.split(' '),
    );
  });
});

describe('an address', () => {
  it('answers 405 with the methods it has to any other', async () => {
    const unknown = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const method of unknown.filter((name) => !(name.toLowerCase() in methods))) {
        const url = path.replace('{id}', requestId(1));
        const answer = await dashboard.app.inject({ url, method, headers: { 'x-dashboard-key': KEY } });
        const allowed = String(answer.headers.allow).toLowerCase().split(', ');
        expect([method, url, answer.statusCode]).toEqual([method, url, 405]);
        expect(allowed.filter((name) => name !== 'head').toSorted()).toEqual(Object.keys(methods).toSorted());
        expect(answer.json<Problem>().code).toBe('NEXUS_METHOD_NOT_ALLOWED');
      }
    }
  });

  it('does not tell which methods it has to those without a key', async () => {
    const answer = await dashboard.app.inject({ url: '/api/requests', method: 'PUT' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).not.toHaveProperty('allow');
  });

  it('sends bodies as the media types it declares', async () => {
    const path = `/api/requests/${requestId(1)}/request-body`;
    const sent = (await dashboard.get(path)).headers['content-type'];
    const declared = description.paths['/api/requests/{id}/request-body']?.['get']?.responses['200']?.content;
    expect(Object.keys(declared ?? {})).toContain(String(sent).split(';', 1)[0]);
  });
});

describe('whatever is sent', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e309',
      'NaN',
      'null',
      '[]',
      '{}',
      "' or 1=1 --",
      '../..',
      '%',
      '\u0000',
      '\uffff',
      '💥',
    ),
    fc.constantFrom(
      '2026-11-23T12:00:00Z',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
      '2026-02-30T00:00:00Z',
    ),
    fc.constantFrom(requestId(1), '200', 'main', 'error'),
  );

  it('queries are never answered with a failure of the server', async () => {
    const names = fc.oneof(
      fc.constantFrom(
        ...'domain account model status outcome kind conversation session agent from to limit cursor'.split(
          ' ',
        ),
      ),
      text,
    );
    const query = fc.array(fc.tuple(names, text), { maxLength: 4 });
    const path = fc.constantFrom('/api/requests', '/api/storage-stats');
    const property = fc.asyncProperty(path, query, async (url, pairs) => {
      const search = pairs
        .map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('='))
        .join('&');
      expect([200, 400, 414]).toContain(await answered({ url: `${url}?${search}` }));
    });
    await fc.assert(property, { seed: 11, numRuns: 300 });
  });

  it('paths are never answered with a failure of the server', async () => {
    const suffix = fc.constantFrom('', '/request-body', '/response-body', '/x');
    const property = fc.asyncProperty(text, suffix, async (id, rest) => {
      const url = `/api/requests/${encodeURIComponent(id.toWellFormed())}${rest}`;
      expect([200, 400, 403, 404, 414]).toContain(await answered({ url }));
    });
    await fc.assert(property, { seed: 12, numRuns: 200 });
  });

  it('bodies are never answered with a failure of the server', async () => {
    const property = fc.asyncProperty(fc.oneof(text, fc.json()), async (payload) => {
      const options = {
        url: '/api/session',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      } as const;
      expect([400, 401, 429]).toContain(await answered({ ...options, payload }));
    });
    await fc.assert(property, { seed: 13, numRuns: 200 });
  });

  it('headers are never answered with a failure of the server', async () => {
    const header = fc.string({
      unit: fc.constantFrom(...'abcXYZ019 .,;:="\\/%-*é'.split('')),
      maxLength: 60,
    });
    const names = fc.constantFrom(
      'cookie',
      'authorization',
      'if-none-match',
      'accept',
      'x-forwarded-proto',
      'origin',
    );
    const property = fc.asyncProperty(fc.dictionary(names, header), async (headers) => {
      expect([200, 304, 403]).toContain(await answered({ url: '/api/requests', headers }));
    });
    await fc.assert(property, { seed: 14, numRuns: 200 });
  });
});
