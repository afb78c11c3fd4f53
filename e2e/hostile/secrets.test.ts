import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';

import { until } from '../fixtures/program.ts';
import { errorAnswer, jsonAnswer, streamAnswer } from '../fixtures/upstream/answers.ts';
import { messageEvents } from '../fixtures/upstream/events.ts';
import { Gate } from '../fixtures/upstream/gate.ts';
import { message } from '../fixtures/upstream/messages.ts';
import { CONTROL, Findings, secret } from './secrets.ts';
import { DASHBOARD_KEY, SecretsSite } from './secrets-site.ts';
import { exchange, WireClient } from './wire.ts';

const findings = new Findings();
const CLIENT_KEY = secret('clientkey');
const MANAGED = 'managed.example.com';
const events = new AbortController();

let site: SecretsSite;
beforeAll(async () => {
  site = await SecretsSite.start(findings);
  await writeFile(path.join(site.credentials, 'key.txt'), secret('keyfile'), { mode: 0o600 });
  await site.writeCredential(MANAGED, {
    type: 'api_key',
    api_key: secret('apikey'),
    client_api_key: CLIENT_KEY,
    client_keys: [{ name: 'Ada', key: secret('namedkey') }],
    slack: { webhook_url: `https://hooks.slack.com/services/${secret('fileslack')}` },
  });
  await site.writeCredential('file.example.com', {
    type: 'api_key',
    api_key_file: 'key.txt',
    client_api_key: secret('otherclientkey'),
  });
  await site.startProxy();
  await site.startDashboard();
  void followEvents();
});
afterAll(async () => {
  events.abort();
  await site.stop();
});

async function followEvents(): Promise<void> {
  for await (const event of site.dashboard.events(events.signal)) findings.add('/sse', JSON.stringify(event));
}

/** Headers full of secrets, each where somebody might put one. */
function headers(host: string, change: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    host,
    'content-type': 'application/json',
    cookie: `session=${secret('cookie')}; other=${secret('cookie2')}`,
    'proxy-authorization': `Basic ${Buffer.from(`user:${secret('proxyauth')}`).toString('base64')}`,
    'x-internal-token': secret('header'),
    'x-forwarded-access-token': secret('forwarded'),
    'x-goog-api-key': secret('goog'),
    'api-key': secret('azure'),
    'x-amz-security-token': secret('amz'),
    referer: `https://user:${secret('referer')}@example.com/?token=${secret('referertoken')}`,
    ...change,
  };
}

const TARGET = `/v1/messages?beta=true&api_key=${secret('query')}&${secret('barequery')}&token=${secret('query2')}`;
const BODY = JSON.stringify({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: CONTROL }] });

/** One request with secrets all over it. What the gateway itself answers is kept. */
async function send(
  host: string,
  change: Readonly<Record<string, string>>,
  options: { target?: string; body?: string; method?: 'POST' | 'GET' | 'DELETE'; url?: string } = {},
): Promise<number> {
  const { target = TARGET, body = BODY, method = 'POST', url = site.proxyUrl } = options;
  const answer = await request(url + target, {
    method,
    headers: headers(host, change),
    ...(method === 'POST' ? { body } : {}),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 400) findings.add('error answers', `${JSON.stringify(answer.headers)}\n${text}`);
  return answer.statusCode;
}

const ways: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['a managed domain by bearer', MANAGED, { authorization: `Bearer ${CLIENT_KEY}` }],
  ['a managed domain by x-api-key', MANAGED, { 'x-api-key': secret('namedkey') }],
  ['a managed domain with a key file', 'file.example.com', { 'x-api-key': secret('otherclientkey') }],
  ['pass-through by bearer', 'pass.example.com', { authorization: `Bearer sk-ant-oat01-${secret('oauth')}` }],
  ['pass-through by x-api-key', 'pass.example.com', { 'x-api-key': secret('passkey') }],
  ['pass-through in no form we know', 'pass.example.com', { authorization: secret('bare') }],
];

describe('no secret is found again', () => {
  it.each(ways)('after success through %s', async (_, host, credential) => {
    const leaky = ['set-cookie', `s=${secret('setcookie')}`, 'x-upstream-token', secret('answerheader')];
    site.upstream.answer(jsonAnswer(message(), { headers: leaky }));
    expect(await send(host, credential)).toBe(200);
    site.upstream.answer(streamAnswer(messageEvents(message()), { headers: leaky }));
    expect(await send(host, credential)).toBe(200);
    expect(
      await send(host, credential, { target: `/v1/models?key=${secret('modelquery')}`, method: 'GET' }),
    ).toBe(200);
  });

  it.each([
    ['a wrong key', MANAGED, { 'x-api-key': secret('wrongkey') }, {}, 401],
    [
      'a refused path',
      MANAGED,
      { 'x-api-key': CLIENT_KEY },
      { target: `/v1/other?key=${secret('otherquery')}` },
      403,
    ],
    [
      'an unknown path',
      MANAGED,
      {},
      { target: `/${secret('path')}?key=${secret('pathquery')}`, method: 'GET' },
      404,
    ],
    [
      'statistics without a key',
      MANAGED,
      { 'x-api-key': secret('statskey') },
      { target: '/token-stats', method: 'GET' },
      401,
    ],
    [
      'statistics of others',
      MANAGED,
      { 'x-api-key': CLIENT_KEY },
      { target: `/token-stats?domain=${secret('scope')}`, method: 'GET' },
      403,
    ],
    ['an invalid host', `a/${secret('host')}`, {}, {}, 400],
  ] as const)('after %s', async (...[, host, credential, options, status]) => {
    expect(await send(host, credential, options)).toBe(status);
  });

  it('after an error of the upstream, and without an upstream', async () => {
    site.upstream.answer(errorAnswer('authentication'));
    for (const [, host, credential] of ways) expect(await send(host, credential)).toBe(401);
    site.upstream.answer((received) => received.reset());
    for (const [, host, credential] of ways) expect(await send(host, credential)).toBe(502);
  });

  it('after requests that cannot be read', async () => {
    const head = `POST ${TARGET} HTTP/1.1\r\nHost: ${MANAGED}\r\nx-api-key: ${CLIENT_KEY}\r\n`;
    for (const rest of [
      'X Y\r\n\r\n',
      'Content-Length: x\r\n\r\n',
      `X: ${'a'.repeat(70_000)}\r\n\r\n`,
      'Transfer-Encoding: chunked\r\n\r\nzzz\r\n',
    ]) {
      for (const url of [site.proxyUrl, site.dashboardUrl]) {
        const answer = await exchange(url, head + rest);
        findings.add('error answers', JSON.stringify(answer));
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  it('after a credential file has become unusable', async () => {
    const broken = [
      `{"type":"api_key","api_key":"${secret('notjson')}",`,
      { type: 'api_key', api_key: `${secret('blank')} x`, client_api_key: CLIENT_KEY },
      { type: 'api_key', api_key: 5, unknown: secret('value'), client_api_key: CLIENT_KEY },
      { type: 'api_key', api_key: CLIENT_KEY, client_api_key: CLIENT_KEY },
      { type: 'api_key', api_key_file: '/nowhere/key.txt', client_api_key: CLIENT_KEY },
      { type: secret('type') },
      {
        type: 'oauth',
        oauth: { accessToken: secret('access'), refreshToken: secret('refresh'), expiresAt: 0 },
      },
      secret('nothingelse'),
    ];
    for (const [index, content] of broken.entries()) {
      await site.writeCredential(`broken-${index}.example.com`, content);
    }
    const domains = broken.map((_, index) => `broken-${index}.example.com`);
    await until('all bad files to be reported', async () =>
      domains.every((domain) => site.proxyLog.includes(domain)) ? true : undefined,
    );
    for (const domain of domains) expect(await send(domain, { 'x-api-key': CLIENT_KEY })).toBe(503);
    expect(
      await send(
        MANAGED,
        { 'x-api-key': CLIENT_KEY },
        { target: `/health?x=${secret('health')}`, method: 'GET' },
      ),
    ).toBe(200);
  });

  it('while the database is down', async () => {
    await site.untilStored(18);
    await site.setDatabase('down');
    site.upstream.answer(jsonAnswer(message()));
    for (const [, host, credential] of ways) expect(await send(host, credential)).toBe(200);
    expect(await send(MANAGED, { 'x-api-key': CLIENT_KEY }, { target: '/token-stats', method: 'GET' })).toBe(
      503,
    );
    for (const target of ['/api/requests', '/api/storage-stats']) {
      const answer = await site.dashboard.fetch(target);
      findings.add('error answers', await answer.text());
      expect(answer.status).toBe(503);
    }
    await site.collectSpool();
    expect(findings.find(CONTROL).join()).toContain('spool');
  });

  it('after the proxy is killed in the middle of a stream', async () => {
    const gate = new Gate();
    gate.release(2);
    site.upstream.answer(streamAnswer(messageEvents(message()), { gate }));
    const lines = Object.entries(headers(MANAGED, { 'x-api-key': CLIENT_KEY })).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const client = await WireClient.to(site.proxyUrl);
    client.write(`POST ${TARGET} HTTP/1.1\r\n${lines.join('')}Content-Length: ${BODY.length}\r\n\r\n${BODY}`);
    await until('the stream to have begun', async () =>
      client.text.includes('message_start') ? true : undefined,
    );
    await site.end('proxy', 'SIGKILL');
    client.destroy();
    await site.collectSpool();
    await site.setDatabase('up');
    expect(await site.startInVain('proxy', {})).not.toBe(0);
    await site.removeCredentials('broken-');
    await site.startProxy();
    await site.untilStored(18 + ways.length);
  });

  it('after guesses at the dashboard', async () => {
    const url = site.dashboardUrl;
    const login = { url, target: '/api/session', body: JSON.stringify({ key: secret('guess') }) };
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) statuses.push(await send('dashboard', {}, login));
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(
      await send('dashboard', {}, { ...login, body: JSON.stringify({ [secret('member')]: secret('key') }) }),
    ).toBe(400);
    const query = `domain=${secret('filter')}&key=${DASHBOARD_KEY}`;
    for (const target of [`/api/requests?${query}`, `/sse?${query}`, `/${secret('page')}.js?${query}`]) {
      const status = await send(
        'dashboard',
        { 'x-dashboard-key': secret('guess') },
        { url, target, method: 'GET' },
      );
      expect([401, 404]).toContain(status);
    }
  });

  it.each<['proxy' | 'dashboard', Readonly<Record<string, string>>]>([
    ['proxy', { CLAUDE_API_BASE_URL: `https://u:${secret('baseurl')}@api.example.com` }],
    ['proxy', { CLAUDE_API_BASE_URL: `htp://u:${secret('baseurl2')}@api.example.com` }],
    ['proxy', { DATABASE_URL: `mysql://u:${secret('mysql')}@h/d` }],
    ['proxy', { DATABASE_URL: secret('nourl') }],
    ['proxy', { ACCOUNT_HASH_KEY: 'LEAKZQshort' }],
    ['proxy', { SLACK_WEBHOOK_URL: `http://${secret('slackhttp')}` }],
    ['dashboard', { DATABASE_URL: `postgresql://u:${secret('x')} y@h:port/d` }],
    ['dashboard', { PROXY_API_URL: `u:${secret('proxyurl2')}@proxy` }],
    ['dashboard', { BASE_PATH: `/${secret('base')} x/` }],
    ['dashboard', { DASHBOARD_API_KEY: '' }],
  ])('in what a %s with bad settings says: %#', async (name, change) => {
    expect(await site.startInVain(name, change)).not.toBe(0);
  });

  it('anywhere at all', async () => {
    await site.collectMetrics();
    await site.collectTables();
    expect(await site.collectApi()).toBeGreaterThan(18);
    await site.end('proxy', 'SIGTERM');
    await site.collectSpool();
    events.abort();
    await site.end('dashboard', 'SIGTERM');
    expect(Object.keys(findings.sizes)).toEqual(
      expect.arrayContaining([
        'log of the proxy',
        'log of the dashboard',
        'spool',
        'error answers',
        '/sse',
        'dashboard API',
        'metrics of the proxy',
        'metrics of the dashboard',
      ]),
    );
    expect(findings.find(CONTROL).join()).toContain('dashboard API');
    expect(findings.leaks()).toEqual([]);
  });
});
