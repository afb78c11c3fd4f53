import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createLogger } from '@claude-nexus/runtime';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccountIds } from './auth/account-ids.ts';
import { createApp } from './app.ts';
import type { AppOptions } from './app.ts';
import { ClientKeys } from './auth/client-keys.ts';
import type { DomainCredential } from './credentials/domain-credential.ts';
import type { TokenScope } from './routes/token-stats.ts';

const CLIENT_SETUP = fileURLToPath(new URL('../../../client-setup', import.meta.url));
const CLIENT_KEY = 'cnx-MARKEDSECRET-key';
const HOST = 'gateway.example.com:3000';

const managed: DomainCredential = {
  domain: 'managed.example.com',
  accountId: 'team-a',
  clientKeys: new ClientKeys([{ name: 'Ada', key: CLIENT_KEY }]),
  allowedPaths: [],
  outboundHeader: ['x-api-key', 'sk-ant-upstream'],
};

interface Harness {
  app: FastifyInstance;
  log: string[];
  asked: TokenScope[];
  answers: { route: string; status: number }[];
}

function harness(changes: Partial<AppOptions> = {}): Harness {
  const log: string[] = [];
  const asked: TokenScope[] = [];
  const answers: Harness['answers'] = [];
  const app = createApp({
    access: {
      credentials: { find: (domain) => (domain === managed.domain ? managed : undefined) },
      passthrough: 'allow',
      enableClientAuth: true,
      accountIds: new AccountIds('a secret of the deployment'),
    },
    health: { draining: () => false },
    tokenTotals: (scope) => {
      asked.push(scope);
      return Promise.resolve({ requests: 3, inputTokens: 5 });
    },
    clientSetupDir: CLIENT_SETUP,
    logger: createLogger({
      name: 't',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
    onAnswer: (answer) => void answers.push(answer),
    ...changes,
  });
  return { app, log, asked, answers };
}

type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'OPTIONS';

async function ask(
  app: FastifyInstance,
  url: string,
  request: { method?: Method; headers?: Record<string, string>; payload?: string } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const { method = 'GET', headers = {}, ...rest } = request;
  const answer = await app.inject({ method, url, headers: { host: HOST, ...headers }, ...rest });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

describe('greeting', () => {
  it.each(['/', '/api/hello', '/api/hello?x=1'])(
    'answers HEAD %s with 200, without credential',
    async (url) => {
      const answer = await ask(harness().app, url, { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
    },
  );
});

describe('health', () => {
  it.each([
    ['/health', false, 200, { status: 'ok' }],
    ['/health/live', false, 200, { status: 'ok' }],
    ['/health/ready', false, 200, { status: 'ok' }],
    ['/health', true, 200, { status: 'draining' }],
    ['/health/live', true, 200, { status: 'ok' }],
    ['/health/ready', true, 503, { status: 'draining' }],
  ])('answers %s (draining: %s) with %i', async (url, draining, status, body) => {
    const answer = await ask(harness({ health: { draining: () => draining } }).app, url);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, body]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe('everything else', () => {
  it.each<[Method, string]>([
    ['GET', '/'],
    ['POST', '/api/hello'],
    ['GET', '/favicon.ico'],
    ['POST', '/messages'],
    ['DELETE', '/health'],
    ['OPTIONS', '/health'],
    ['GET', '/HEALTH'],
    ['GET', '/metrics'],
    ['GET', '/client-setup/absent.sh'],
  ])('answers %s %s with 404 in the shape of the Messages API', async (method, url) => {
    const answer = await ask(harness().app, url, { method });
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-should-retry': 'false' });
    expect(JSON.parse(answer.text)).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: 'There is nothing at this address.' },
      request_id: answer.headers['request-id'],
    });
  });

  it('does not read the body of a request it has no place for', async () => {
    const payload = 'x'.repeat(100_000);
    const answer = await ask(harness().app, '/upload', {
      method: 'POST',
      payload,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(404);
  });

  it.each(['/%zz', '/client-setup/%zz', '/%'])('answers the broken address %s with 400', async (url) => {
    const answer = await ask(harness().app, url);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error' },
    });
  });

  it('hides what went wrong inside', async () => {
    const { app, log } = harness();
    app.get('/broken', () => {
      throw new TypeError('internal detail sk-ant-MARKEDSECRET');
    });
    const answer = await ask(app, '/broken');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect(answer.text).not.toContain('detail');
    expect(log.join('')).toContain('internal detail');
    expect(log.join('')).not.toContain('MARKEDSECRET');
  });

  it('reports each answer under its declared route', async () => {
    const { app, answers } = harness();
    await ask(app, '/client-setup/setup.sh');
    await ask(app, '/anything/at/all');
    expect(answers).toEqual([
      { route: '/client-setup/*', status: 200 },
      { route: 'none', status: 404 },
    ]);
  });
});

describe('GET /token-stats', () => {
  const own = { host: 'elsewhere.example.com', authorization: 'Bearer key-1' };
  const client = { host: 'managed.example.com', 'x-api-key': CLIENT_KEY };
  const account = '0123456789abcdef';

  it('shows a client key its domain', async () => {
    const { app, asked } = harness();
    const answer = await ask(app, '/token-stats', { headers: client });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      200,
      { domain: 'managed.example.com', account: null, requests: 3, inputTokens: 5 },
    ]);
    expect(asked).toEqual([{ domain: 'managed.example.com' }]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('shows a pass-through credential its account, whatever the domain', async () => {
    const { app, asked } = harness();
    await ask(app, '/token-stats', { headers: own });
    await ask(app, '/token-stats', { headers: { ...own, host: 'third.example.com' } });
    expect(asked[0]).toEqual({ accountId: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
    expect(asked[1]).toEqual(asked[0]);
  });

  it.each([
    [`?account=${account}`, { domain: 'managed.example.com', accountId: account }],
    ['?domain=Managed.Example.com', { domain: 'managed.example.com' }],
    ['?domain=&account=', { domain: 'managed.example.com' }],
  ])('narrows a domain with %s', async (query, scope) => {
    const { app, asked } = harness();
    expect((await ask(app, `/token-stats${query}`, { headers: client })).status).toBe(200);
    expect(asked).toEqual([scope]);
  });

  it('narrows an account with ?domain', async () => {
    const { app, asked } = harness();
    await ask(app, '/token-stats?domain=managed.example.com', { headers: own });
    expect(asked[0]).toMatchObject({
      domain: 'managed.example.com',
      accountId: expect.any(String) as string,
    });
  });

  it.each<[string, string, Record<string, string>, number]>([
    ['another domain', '?domain=other.example.com', client, 403],
    ['another account', `?account=${account}`, own, 403],
    ['two domains', '?domain=managed.example.com&domain=other.example.com', client, 400],
    ['a wrong client key', '', { ...client, 'x-api-key': 'wrong' }, 401],
    ['no client key', '', { host: 'managed.example.com' }, 401],
    ['no credential', '', { host: 'elsewhere.example.com' }, 401],
    ['an invalid host', '', { ...client, host: 'a b' }, 400],
  ])('refuses %s and asks the database nothing', async (_, query, headers, status) => {
    const { app, asked } = harness();
    const answer = await ask(app, `/token-stats${query}`, { headers });
    expect([answer.status, asked]).toEqual([status, []]);
    expect(JSON.parse(answer.text)).toHaveProperty('error.type');
    expect(answer.text).not.toContain('MARKEDSECRET');
  });

  it('answers 503 while the database is away, without detail', async () => {
    const { app, log } = harness({
      tokenTotals: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1')),
    });
    const answer = await ask(app, '/token-stats', { headers: client });
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({ 'x-should-retry': 'true', 'retry-after': '5' });
    expect(answer.text).not.toContain('10.0.0.1');
    expect(log.join('')).toContain('ECONNREFUSED');
  });

  it('answers 503 that is not to be retried when storage is off', async () => {
    const answer = await ask(harness({ tokenTotals: undefined }).app, '/token-stats', { headers: client });
    expect([answer.status, answer.headers['x-should-retry']]).toEqual([503, 'false']);
  });
});

describe('GET /client-setup/*', () => {
  it.each([
    ['/client-setup', 'text/html; charset=utf-8'],
    ['/client-setup/', 'text/html; charset=utf-8'],
    ['/client-setup/index.html', 'text/html; charset=utf-8'],
    ['/client-setup/settings.json', 'application/json; charset=utf-8'],
    ['/client-setup/setup.sh', 'text/plain; charset=utf-8'],
    ['/client-setup/setup.ps1', 'text/plain; charset=utf-8'],
  ])('serves %s with the address it was asked under', async (url, type) => {
    const answer = await ask(harness().app, url);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, type]);
    expect(answer.text).toContain(`http://${HOST}`);
    expect(answer.text).not.toContain('{{');
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('serves settings Claude Code understands', async () => {
    const answer = await ask(harness().app, '/client-setup/settings.json', {
      headers: { host: '[::1]:3000' },
    });
    expect((JSON.parse(answer.text) as { env: unknown }).env).toEqual({
      ANTHROPIC_BASE_URL: 'http://[::1]:3000',
      CLAUDE_CODE_GATEWAY_HINT_HEADERS: '1',
    });
  });

  it.each([
    ['https', 'https://gateway.example.com:3000'],
    ['https, http', 'https://gateway.example.com:3000'],
    ['http', 'http://gateway.example.com:3000'],
    ['javascript', 'http://gateway.example.com:3000'],
  ])('takes the scheme %s of a proxy in front into account', async (scheme, url) => {
    const answer = await ask(harness().app, '/client-setup/settings.json', {
      headers: { 'x-forwarded-proto': scheme },
    });
    expect(answer.text).toContain(`"${url}"`);
  });

  it.each([
    '<script>',
    "a';rm -rf ~;'",
    'a"b',
    'a b',
    'evil.example.com/x',
    'user@evil.example.com',
    '$(id)',
  ])('refuses the Host %s', async (host) => {
    const answer = await ask(harness().app, '/client-setup/setup.sh', { headers: { host } });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(host);
  });

  describe('over a folder with traps', () => {
    let parent = '';
    let folder = '';

    beforeAll(async () => {
      parent = await mkdtemp(join(tmpdir(), 'client-setup-'));
      folder = join(parent, 'client-setup');
      await mkdir(join(folder, 'sub'), { recursive: true });
      await mkdir(join(parent, 'client-setup-other'));
      await writeFile(join(parent, 'outside.txt'), 'OUTSIDE');
      await writeFile(join(parent, 'client-setup-other', 'x.txt'), 'OUTSIDE');
      await writeFile(join(folder, 'inside.txt'), 'inside {{PROXY_URL}}');
      await writeFile(join(folder, 'sub', 'deep.txt'), 'deep');
      await writeFile(join(folder, '.hidden.txt'), 'OUTSIDE');
      await writeFile(join(folder, 'key.pem'), 'OUTSIDE');
      await writeFile(join(folder, 'big.txt'), 'OUTSIDE'.repeat(200_000));
      await mkdir(join(folder, 'folder.txt'));
      await symlink('inside.txt', join(folder, 'link-inside.txt'));
      await symlink('../outside.txt', join(folder, 'link-outside.txt'));
      await symlink('..', join(folder, 'up'));
      await symlink('../client-setup-other', join(folder, 'other'));
    });

    afterAll(() => rm(parent, { recursive: true }));

    it.each([
      ['/client-setup/inside.txt', `inside http://${HOST}`],
      ['/client-setup/sub/deep.txt', 'deep'],
      ['/client-setup/link-inside.txt', `inside http://${HOST}`],
    ])('serves %s', async (url, text) => {
      const answer = await ask(harness({ clientSetupDir: folder }).app, url);
      expect([answer.status, answer.text]).toEqual([200, text]);
    });

    it.each([
      '/client-setup/../outside.txt',
      '/client-setup/%2e%2e/outside.txt',
      '/client-setup/..%2foutside.txt',
      '/client-setup/..%5coutside.txt',
      '/client-setup/%252e%252e/outside.txt',
      '/client-setup/sub/../../outside.txt',
      '/client-setup/sub/..%2f..%2foutside.txt',
      '/client-setup//etc/hostname.txt',
      '/client-setup/%2fetc/hostname.txt',
      '/client-setup/inside.txt%00.sh',
      '/client-setup/link-outside.txt',
      '/client-setup/up/outside.txt',
      '/client-setup/other/x.txt',
      '/client-setup/.hidden.txt',
      '/client-setup/key.pem',
      '/client-setup/big.txt',
      '/client-setup/folder.txt',
      '/client-setup/sub',
      '/client-setup/sub/',
      '/client-setup/toString',
      '/client-setup/x.constructor',
    ])('does not serve %s', async (url) => {
      const answer = await ask(harness({ clientSetupDir: folder }).app, url);
      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain('OUTSIDE');
    });

    it('serves nothing from a folder that is missing', async () => {
      const answer = await ask(
        harness({ clientSetupDir: join(parent, 'absent') }).app,
        '/client-setup/setup.sh',
      );
      expect(answer.status).toBe(404);
    });
  });
});
