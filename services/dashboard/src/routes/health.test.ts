import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../errors.ts';
import { testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';

let dashboard: TestDashboard;

beforeEach(async () => {
  dashboard = await testDashboard({ proxyUrl: 'http://proxy.example:3000/', fetch: answerAs(200) });
});

afterEach(() => dashboard.app.close());

let asked: string[] = [];

function answerAs(status: number): typeof globalThis.fetch {
  return async (input) => {
    asked.push(input instanceof URL ? input.href : 'not a URL');
    return new Response(null, { status });
  };
}

async function health(path = ''): Promise<{ status: number; body: unknown }> {
  const response = await dashboard.app.inject({ url: `/health${path}` });
  return { status: response.statusCode, body: response.json() };
}

describe('GET /health', () => {
  it('needs no key and tells that all is well', async () => {
    expect(await health()).toEqual({ status: 200, body: { status: 'ok', database: 'up' } });
    expect(await health('/live')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await health('/ready')).toEqual({ status: 200, body: { status: 'ok' } });
  });

  it('shows an outage of the database, but stays ready', async () => {
    dashboard.store.failure = new DatabaseUnavailableError();
    await dashboard.feed.read();
    expect(await health()).toEqual({ status: 200, body: { status: 'degraded', database: 'down' } });
    expect((await health('/ready')).status).toBe(200);
  });

  it('notices a feed that is no longer read', async () => {
    dashboard.clock.now += 60_000;
    expect((await health()).body).toMatchObject({ database: 'down' });
  });

  it('is not ready while draining', async () => {
    dashboard.drain();
    expect(await health()).toMatchObject({ body: { status: 'draining' } });
    expect(await health('/ready')).toEqual({ status: 503, body: { status: 'unavailable' } });
    expect((await health('/live')).status).toBe(200);
  });
});

describe('GET /api/proxy', () => {
  it('tells where clients connect, asking the proxy once for many', async () => {
    asked = [];
    const answers = await Promise.all([dashboard.get('/api/proxy'), dashboard.get('/api/proxy')]);
    expect(answers[0]?.json()).toEqual({
      url: 'http://proxy.example:3000/',
      status: 'up',
      checkedAt: '2026-11-23T12:00:00.000Z',
    });
    expect(asked).toEqual(['http://proxy.example:3000/health']);
    dashboard.clock.now += 10_000;
    await dashboard.get('/api/proxy');
    expect(asked).toHaveLength(2);
  });

  it.each([
    [answerAs(503), 'down'],
    [() => Promise.reject(new TypeError('fetch failed')), 'down'],
  ])('shows a proxy that does not answer well as down (%#)', async (fetch, status) => {
    const other = await testDashboard({ proxyUrl: 'http://proxy.example', fetch });
    expect((await other.get('/api/proxy')).json()).toMatchObject({ status });
    await other.app.close();
  });

  it('knows nothing without PROXY_API_URL', async () => {
    const other = await testDashboard();
    expect((await other.get('/api/proxy')).json()).toEqual({ url: null, status: 'unknown', checkedAt: null });
    await other.app.close();
  });
});
