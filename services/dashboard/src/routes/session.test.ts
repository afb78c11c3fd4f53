import { SessionStatus } from '@claude-nexus/api-contract';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY, testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';

let dashboard: TestDashboard;

beforeEach(async () => {
  dashboard = await testDashboard();
});

afterEach(() => dashboard.app.close());

async function login(key = KEY, headers: Record<string, string> = {}) {
  return dashboard.app.inject({ method: 'POST', url: '/api/session', payload: { key }, headers });
}

async function cookieOf(response: Awaited<ReturnType<typeof login>>): Promise<string> {
  const [cookie] = response.cookies;
  return `${cookie?.name}=${cookie?.value}`;
}

describe('authentication', () => {
  const guarded = [
    '/api/requests',
    '/api/requests/019ab000-0000-7000-8000-000000000001',
    '/api/requests/019ab000-0000-7000-8000-000000000001/request-body',
    '/api/requests/019ab000-0000-7000-8000-000000000001/response-body',
    '/api/storage-stats',
    '/api/proxy',
    '/api/openapi.json',
    '/sse',
  ];

  it.each(guarded)('refuses %s without a key', async (url) => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { 'x-dashboard-key': '' },
      { cookie: 'claude_nexus_session=x' },
    ]) {
      const response = await dashboard.app.inject({ url, headers });
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer realm="claude-nexus"');
      expect(response.json()).toMatchObject({ status: 401, code: 'NEXUS_UNAUTHENTICATED' });
    }
  });

  it.each([
    { authorization: `Bearer ${KEY}` },
    { authorization: `bearer  ${KEY}` },
    { 'x-dashboard-key': KEY },
    { authorization: 'Bearer of other news', 'x-dashboard-key': KEY },
    { authorization: 'Basic eDp5', 'x-dashboard-key': KEY },
  ])('accepts %j', async (headers: Record<string, string>) => {
    expect((await dashboard.app.inject({ url: '/api/requests', headers })).statusCode).toBe(200);
  });

  it('takes no key from the address', async () => {
    expect((await dashboard.app.inject({ url: `/api/proxy?key=${KEY}` })).statusCode).toBe(401);
  });
});

describe('session', () => {
  it('is opened by the key and closed by logging out', async () => {
    const response = await login();
    expect(response.statusCode).toBe(200);
    expect([...Value.Errors(SessionStatus, response.json())]).toEqual([]);
    expect(response.headers['set-cookie']).toMatch(
      /^claude_nexus_session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    const cookie = await cookieOf(response);
    expect((await dashboard.app.inject({ url: '/api/requests', headers: { cookie } })).statusCode).toBe(200);
    const out = await dashboard.app.inject({ method: 'DELETE', url: '/api/session', headers: { cookie } });
    expect(out.statusCode).toBe(204);
    expect(out.headers['set-cookie']).toMatch(/^claude_nexus_session=; .*Expires=Thu, 01 Jan 1970/);
  });

  it('is marked Secure when TLS ends in front', async () => {
    const response = await login(KEY, { 'x-forwarded-proto': 'https, http' });
    expect(response.headers['set-cookie']).toMatch(/; Secure/);
  });

  it('gets a new cookie at every login, whatever cookie came with it', async () => {
    const first = await cookieOf(await login());
    expect(await cookieOf(await login(KEY, { cookie: first }))).not.toBe(first);
    const planted = 'claude_nexus_session=chosen-by-somebody-else';
    expect(await cookieOf(await login(KEY, { cookie: planted }))).not.toBe(planted);
  });

  it('tells who the caller is, renews an ageing cookie and ends with its time', async () => {
    const cookie = await cookieOf(await login());
    const status = () => dashboard.app.inject({ url: '/api/session', headers: { cookie } });
    expect((await status()).json()).toMatchObject({ authenticated: true, method: 'cookie' });
    expect((await status()).headers['set-cookie']).toBeUndefined();
    dashboard.clock.now += 7 * 3_600_000;
    expect((await status()).headers['set-cookie']).toBeDefined();
    dashboard.clock.now += 5 * 3_600_000;
    expect((await status()).json()).toEqual({ authenticated: false, method: null, expiresAt: null });
    expect((await dashboard.get('/api/session')).json()).toEqual({
      authenticated: true,
      method: 'key',
      expiresAt: null,
    });
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
  ])('is neither opened nor closed by another site: %j', async (headers: Record<string, string>) => {
    const cookie = await cookieOf(await login());
    const options = { url: '/api/session', headers: { ...headers, cookie } };
    expect((await dashboard.app.inject({ ...options, method: 'DELETE' })).statusCode).toBe(403);
    expect((await login(KEY, headers)).json()).toMatchObject({ code: 'NEXUS_FOREIGN_ORIGIN' });
  });

  it.each([
    ['an empty key', 'application/json', '{"key":""}', 400, 'NEXUS_INPUT_INVALID'],
    ['an unknown member', 'application/json', '{"key":"x","admin":true}', 400, 'NEXUS_INPUT_INVALID'],
    ['no key', 'application/json', '{}', 400, 'NEXUS_INPUT_INVALID'],
    ['an array', 'application/json', '[]', 400, 'NEXUS_INPUT_INVALID'],
    ['a key that is an object', 'application/json', '{"key":{"a":1}}', 400, 'NEXUS_INPUT_INVALID'],
    ['null', 'application/json', 'null', 400, 'NEXUS_INPUT_INVALID'],
    ['a lone surrogate', 'application/json', '{"key":"\\ud800\\u0000"}', 401, 'NEXUS_UNAUTHENTICATED'],
    ['a prototype', 'application/json', '{"__proto__":{"key":"x"}}', 400, 'NEXUS_BODY_UNREADABLE'],
    ['torn JSON', 'application/json', '{', 400, 'NEXUS_BODY_UNREADABLE'],
    ['no body', 'application/json', '', 400, 'NEXUS_BODY_UNREADABLE'],
    ['deep nesting', 'application/json', '['.repeat(8000), 400, 'NEXUS_BODY_UNREADABLE'],
    ['a large body', 'application/json', `{"key":"${'x'.repeat(20_000)}"}`, 413, 'NEXUS_BODY_UNREADABLE'],
    ['a form', 'application/x-www-form-urlencoded', `key=${KEY}`, 415, 'NEXUS_BODY_UNREADABLE'],
    ['plain text', 'text/plain', `{"key":"${KEY}"}`, 415, 'NEXUS_BODY_UNREADABLE'],
  ])('refuses %s as login', async (...[, type, payload, status, code]) => {
    const response = await dashboard.app.inject({
      method: 'POST',
      url: '/api/session',
      headers: { 'content-type': type },
      payload,
    });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, code });
    expect(response.body).not.toContain(KEY);
  });
});

describe('guessing', () => {
  it('beyond ten wrong keys is answered late and with 429, and within the limit again after a while', async () => {
    await dashboard.app.close();
    const waits: number[] = [];
    dashboard = await testDashboard({
      wait: async (ms) => {
        waits.push(ms);
      },
    });
    for (let n = 0; n < 10; n += 1) expect((await login(`wrong ${n}`)).statusCode).toBe(401);
    expect(waits).toEqual([]);
    for (let n = 0; n < 3; n += 1) {
      const refused = await login('another wrong one');
      expect(refused.statusCode).toBe(429);
      expect(refused.headers['retry-after']).toBe('30');
      expect(refused.json()).toMatchObject({ code: 'NEXUS_TOO_MANY_ATTEMPTS' });
    }
    expect(waits).toEqual([1000, 1000, 1000]);
    dashboard.clock.now += 30_000;
    expect((await login('wrong again')).statusCode).toBe(401);
  });

  it('does not lock out who has the right key and shares the address, at the login or in headers', async () => {
    for (let n = 0; n < 300; n += 1) {
      await login(`wrong ${n}`);
      await dashboard.get('/api/requests', { 'x-dashboard-key': `wrong ${n}` });
    }
    expect((await login('one more')).statusCode).toBe(429);
    expect((await dashboard.get('/api/requests', { 'x-dashboard-key': 'one more' })).statusCode).toBe(429);
    const cookie = await cookieOf(await login());
    expect((await dashboard.get('/api/requests')).statusCode).toBe(200);
    expect((await dashboard.app.inject({ url: '/api/requests', headers: { cookie } })).statusCode).toBe(200);
  });

  it('holds back a bounded number of answers, and none of those to the right key', async () => {
    await dashboard.app.close();
    const end = Promise.withResolvers<void>();
    let held = 0;
    dashboard = await testDashboard({
      wait: () => {
        held += 1;
        return end.promise;
      },
    });
    for (let n = 0; n < 10; n += 1) await login(`wrong ${n}`);
    const guesses = Array.from({ length: 150 }, (_, n) => login(`parallel ${n}`));
    await Promise.race(guesses);
    expect((await login()).statusCode).toBe(200);
    expect(held).toBe(100);
    end.resolve();
    expect(new Set((await Promise.all(guesses)).map(({ statusCode }) => statusCode))).toEqual(new Set([429]));
  });

  it('is limited for the right key, too, where that is short enough to be guessed', async () => {
    await dashboard.app.close();
    const apiKey = 'short-key-of-15';
    dashboard = await testDashboard({ apiKey });
    for (let n = 0; n < 10; n += 1) expect((await login(`wrong ${n}`)).statusCode).toBe(401);
    expect((await login(apiKey)).statusCode).toBe(429);
    dashboard.clock.now += 30_000;
    expect((await login(apiKey)).statusCode).toBe(200);
  });

  it('is not made possible by forwarded addresses', async () => {
    for (let n = 0; n < 10; n += 1) await login(`wrong ${n}`, { 'x-forwarded-for': `192.0.2.${n}` });
    expect((await login('one more', { 'x-forwarded-for': '192.0.2.200' })).statusCode).toBe(429);
  });
});
