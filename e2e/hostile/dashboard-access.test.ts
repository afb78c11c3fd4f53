import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DASHBOARD_KEY as KEY, TestGateway } from '../fixtures/gateway.ts';
import { freePort, startService } from '../fixtures/program.ts';
import { malformed } from './malformed.ts';
import { Random } from '../fixtures/random.ts';
import { exchange, WireClient } from './wire.ts';
import type { Program } from '../fixtures/program.ts';
import type { WireAnswer } from './wire.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

interface Sent {
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly url?: string;
}

async function send(method: string, target: string, sent: Sent = {}): Promise<WireAnswer> {
  const { headers = [], body, url = gateway.dashboardUrl } = sent;
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: dashboard.example', ...headers];
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return exchange(url, `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

async function login(key: string, headers: readonly string[] = []): Promise<WireAnswer> {
  return send('POST', '/api/session', {
    headers: ['Content-Type: application/json', ...headers],
    body: JSON.stringify({ key }),
  });
}

/** The cookie of a new session, as a browser would send it back. */
async function sessionCookie(): Promise<string> {
  return (await login(KEY)).headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

const BEARER = `Authorization: Bearer ${KEY}`;
const DATA = [
  '/api/requests',
  '/api/storage-stats',
  '/api/proxy',
  '/api/openapi.json',
  '/sse',
  '/sse?domain=a',
];

describe('data', () => {
  it.each<[string, readonly string[]]>([
    ['no key', []],
    ['an empty key', ['Authorization: Bearer ', 'X-Dashboard-Key:']],
    ['a wrong key', ['X-Dashboard-Key: wrong']],
    ['a key one character short', [`X-Dashboard-Key: ${KEY.slice(0, -1)}`]],
    ['the key in the wrong scheme', [`Authorization: Basic ${KEY}`]],
    ['the key in a cookie', [`Cookie: claude_nexus_session=${KEY}; key=${KEY}`]],
  ])('is closed to %s, on every route', async (_, headers) => {
    for (const target of DATA.slice(0, headers.length === 0 ? undefined : 1)) {
      const answer = await send('GET', target, { headers });
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'NEXUS_UNAUTHENTICATED' });
    }
  });

  it.each(DATA)('%s takes no key from the query', async (target) => {
    const query = `${target.includes('?') ? '&' : '?'}key=${KEY}&access_token=${KEY}&X-Dashboard-Key=${KEY}`;
    expect((await send('GET', target + query)).status).toBe(401);
  });

  it.each([
    '/api/../api/requests',
    '/api/%2e%2e/api/requests',
    '//api/requests',
    '/API/requests',
    '/api//requests',
    '/api/requests/',
    '/api/requests;x',
    '/api%2frequests',
    '/%61pi/requests',
    '/./sse',
    '/SSE',
    '/sse/',
  ])('is not behind the odd spelling %s', async (target) => {
    const answer = await send('GET', target);
    expect(answer.body).not.toMatch(/"requests"|event:/);
    expect([200, 400, 401, 403, 404]).toContain(answer.status);
    // Where it is no data, it may be a page of the application.
    const type = answer.headers.get('content-type');
    expect(answer.status === 200 ? type : 'text/html').toContain('text/html');
  });

  it.each([
    '../../package.json',
    '..%2f..%2fpackage.json',
    '%2e%2e/%2e%2e/package.json',
    '..%5c..%5cpackage.json',
    '.env',
    '%00',
  ])('outside of the web application is not served at /assets/%s', async (path) => {
    const answer = await send('GET', `/assets/${path}`);
    expect([400, 403, 404]).toContain(answer.status);
    expect(answer.body).not.toContain('workspaces');
  });
});

describe('a session', () => {
  it('is opened by its cookie, and by nothing that merely looks like it', async () => {
    const cookie = await sessionCookie();
    const [name = '', token = ''] = cookie.split('=');
    const [expiry = '', nonce = '', mac = ''] = token.split('.');
    expect((await send('GET', '/api/requests', { headers: [`Cookie: ${cookie}`] })).status).toBe(200);
    const later = (Number.parseInt(expiry, 36) + 1000).toString(36);
    const forged = [
      `${later}.${nonce}.${mac}`,
      `${expiry}.${'A'.repeat(22)}.${mac}`,
      `${expiry}.${nonce}.${'A'.repeat(43)}`,
      `${expiry}.${nonce}.${mac.slice(0, -1)}${mac.endsWith('A') ? 'E' : 'A'}`,
      `${expiry}.${nonce}.`,
      `${expiry}.${nonce}`,
      `zzzzzzzzzzz.${nonce}.${mac}`,
      `${token}.${token}`,
      `${token}%00`,
      'constructor',
      '__proto__',
      '',
    ];
    for (const value of forged) {
      const answer = await send('GET', '/api/requests', { headers: [`Cookie: ${name}=${value}`] });
      expect([value, answer.status]).toEqual([value, 401]);
    }
  });

  it('cannot be fixed beforehand: a login makes a new one', async () => {
    const planted = await sessionCookie();
    const answer = await login(KEY, [`Cookie: ${planted}`]);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie.split(';', 1)[0]).not.toBe(planted);
    expect(cookie).toMatch(/; HttpOnly.*; SameSite=Strict/);
  });

  it.each([
    ['a page of another site', ['Sec-Fetch-Site: cross-site']],
    ['a page of a neighbour', ['Sec-Fetch-Site: same-site']],
    ['an older browser on another site', ['Origin: https://evil.example']],
    ['an older browser in a sandbox', ['Origin: null']],
    ['a site with a longer name', ['Origin: http://dashboard.example.evil.example']],
    ['another port of the host', ['Origin: http://dashboard.example:8080']],
  ])('cannot be opened or closed by %s', async (_, headers) => {
    const cookie = await sessionCookie();
    expect((await login(KEY, headers)).status).toBe(403);
    expect(
      (await send('DELETE', '/api/session', { headers: [`Cookie: ${cookie}`, ...headers] })).status,
    ).toBe(403);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json, text/plain',
  ])('cannot be opened by a form, which sends %s', async (type) => {
    const answer = await send('POST', '/api/session', {
      headers: [`Content-Type: ${type}`],
      body: `{"key":"${KEY}"}`,
    });
    expect(answer.status).toBe(415);
    expect(answer.headers.has('set-cookie')).toBe(false);
  });

  it('is not opened to other sites by CORS', async () => {
    for (const method of ['OPTIONS', 'GET']) {
      const headers = ['Origin: https://evil.example', 'Access-Control-Request-Method: POST', BEARER];
      const answer = await send(method, '/api/session', { headers });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('guessing the key', () => {
  let port: number;
  let url: string;
  let program: Program;
  beforeAll(async () => {
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    program = startService('dashboard', {
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(await freePort()),
      DASHBOARD_API_KEY: KEY,
      // No database is needed to be let in or not.
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    });
    await program.ready(`${url}/health/live`);
  });
  afterAll(() => program.stop());

  const guess = async (key: string): Promise<WireAnswer> =>
    send('POST', '/api/session', {
      url,
      headers: ['Content-Type: application/json'],
      body: JSON.stringify({ key }),
    });

  it('at the login ends in 429 with a time to wait, but never for the right key', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 14; count += 1) statuses.push((await guess(`guess-${count}`)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    const refused = await guess('guess');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.has('set-cookie')).toBe(false);
    const answer = await guess(KEY);
    expect(answer.status).toBe(200);
    expect(answer.headers.has('set-cookie')).toBe(true);
  });

  it('is not helped by claiming to come from elsewhere', async () => {
    for (const header of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'CF-Connecting-IP']) {
      const headers = ['Content-Type: application/json', `${header}: 203.0.113.7`];
      const answer = await send('POST', '/api/session', { url, headers, body: '{"key":"guess"}' });
      expect(answer.status).toBe(429);
    }
  });

  it('leaves the right key in a header working', async () => {
    expect((await send('GET', '/api/openapi.json', { url, headers: [BEARER] })).status).toBe(200);
  });

  it('by header ends in 429, too', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 15; count += 1) {
      statuses.push(
        (await send('GET', '/api/openapi.json', { url, headers: [`X-Dashboard-Key: guess-${count}`] }))
          .status,
      );
    }
    expect(statuses).toEqual([
      ...Array.from({ length: 10 }, () => 401),
      ...Array.from({ length: 5 }, () => 429),
    ]);
    expect((await send('GET', '/api/openapi.json', { url, headers: [BEARER] })).status).toBe(200);
  });
});

describe('malformed requests', () => {
  it.each(['GET / RTSP/1.0', 'OPTIONS /api/requests RTSP/1.0', 'SOURCE /health ICE/1.0'])(
    'of another protocol are not served by either program: %s',
    async (line) => {
      for (const url of [gateway.dashboardUrl, gateway.proxyUrl]) {
        expect((await exchange(url, `${line}\r\nHost: a\r\n\r\n`)).status).toBe(400);
      }
    },
  );

  it('are refused by the dashboard without a word of its inside', async () => {
    const random = new Random(4);
    for (let count = 0; count < 500; count += 1) {
      const hostile = malformed(random, `m-${count}`);
      const client = await WireClient.to(gateway.dashboardUrl);
      try {
        const [answer] = await client.write(hostile.bytes).settle(1, 2000);
        expect([hostile.kind, (answer?.status ?? 400) >= 500]).toEqual([hostile.kind, false]);
        expect(client.text).not.toMatch(/node_modules|at .*\.[jt]s:\d/);
      } finally {
        client.destroy();
      }
    }
    expect((await send('GET', '/health/ready')).status).toBe(200);
    expect(gateway.dashboardLog).not.toMatch(/"level":"(error|fatal)"/);
  });
});
