import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';
import { requestId, summary } from '../testing/fixtures.ts';
import { connectEvents, readUntil } from '../testing/sse-client.ts';

let dashboard: TestDashboard;

beforeEach(async () => {
  dashboard = await testDashboard({ maxStreams: 2 });
  await dashboard.app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => dashboard.app.close());

async function connect(path = '/sse', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return connectEvents(dashboard.app.server, { path, headers });
}

describe('GET /sse', () => {
  it('streams events as they come', async () => {
    const response = await connect();
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(await readUntil(response, 'event: stats')).toMatch(
      /^retry: 3000\n\nid: \d+-\d+\nevent: heartbeat\n/,
    );
    const position = dashboard.store.put({ summary: summary(1) });
    await dashboard.feed.read();
    expect(await readUntil(response, '"messageCount"')).toMatch(
      new RegExp(`^id: ${position}\\nevent: request\\ndata: \\{"id":"${requestId(1)}".*\\}\\n\\n$`),
    );
    response.destroy();
  });

  it('resumes by Last-Event-ID', async () => {
    const position = dashboard.store.put({ summary: summary(1) });
    dashboard.store.put({ summary: summary(2) });
    await dashboard.feed.read();
    const response = await connect('/sse?domain=a.example', { 'last-event-id': position });
    const text = await readUntil(response, 'event: heartbeat');
    expect(text).toContain(requestId(2));
    expect(text).not.toContain(requestId(1));
    response.destroy();
  });

  it('refuses more streams than it serves, and serves again when one has gone', async () => {
    const [first] = [await connect(), await connect()];
    const refused = await connect();
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    const [body] = (await once(refused, 'data')) as [string];
    expect(JSON.parse(body)).toMatchObject({ code: 'NEXUS_TOO_MANY_STREAMS' });
    first.destroy();
    await expect.poll(async () => (await connect()).statusCode).toBe(200);
  });

  it.each([
    ['/sse?domain=', {}, 400],
    ['/sse?domain=%00', {}, 400],
    ['/sse?domian=a', {}, 400],
    ['/sse', { 'x-dashboard-key': 'wrong' }, 401],
  ])('answers %s with %j by %i', async (path, headers: Record<string, string>, status) => {
    expect((await connect(path, headers)).statusCode).toBe(status);
  });

  it('ends in order when the dashboard stops, without waiting for clients', async () => {
    const response = await connect();
    await readUntil(response, 'event: stats');
    const ended = once(response, 'end');
    response.resume();
    await dashboard.app.close();
    await ended;
    expect(response.complete).toBe(true);
  });
});
