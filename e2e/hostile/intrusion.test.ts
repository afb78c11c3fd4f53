import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TestGateway } from '../fixtures/gateway.ts';
import { echo } from './attack.ts';
import { exchange } from './wire.ts';
import type { WireAnswer } from './wire.ts';

const KEY = 'cnx-Key-Of-Ada-0123456789';
const OTHER_KEY = 'cnx-Key-Of-Bob-0123456789';
const UPSTREAM_KEY = 'sk-ant-api03-upstream-key-of-a';
const DOMAIN = 'managed.example.com';
/** In what a client sends, to see whether it comes back. */
const ECHO = 'xEchox';

function credential(upstreamKey: string, client: { name: string; key: string }): object {
  return { type: 'api_key', api_key: upstreamKey, client_keys: [client], allowed_paths: ['/v1/files/*'] };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    credentials: {
      [DOMAIN]: credential(UPSTREAM_KEY, { name: 'Ada', key: KEY }),
      'other.example.com': credential('sk-ant-api03-upstream-key-of-b', { name: 'Bob', key: OTHER_KEY }),
    },
  });
  gateway.upstream.answer(echo);
});
afterAll(() => gateway.stop());

const arrived = (): number => gateway.upstream.requests.length;

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

async function send(sent: Sent): Promise<WireAnswer> {
  const { method = 'POST', target = '/v1/messages', host = DOMAIN, headers = [], body = '{}' } = sent;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers];
  if (method === 'POST') lines.push(`Content-Length: ${body.length}`);
  return exchange(gateway.proxyUrl, `${lines.join('\r\n')}\r\n\r\n${method === 'POST' ? body : ''}`);
}

function errorType(answer: WireAnswer): string {
  return (JSON.parse(answer.body) as { error: { type: string } }).error.type;
}

describe('a managed domain', () => {
  const flipped = (at: number): string =>
    KEY.slice(0, at) + String.fromCodePoint(KEY.codePointAt(at)! ^ 1) + KEY.slice(at + 1);

  it.each<[string, Sent]>([
    ['no key', {}],
    ['an empty key', { headers: ['x-api-key:'] }],
    ['an empty bearer', { headers: ['authorization: Bearer '] }],
    ['the key without its last character', { headers: [`x-api-key: ${KEY.slice(0, -1)}`] }],
    ['the key with one character more', { headers: [`x-api-key: ${KEY}0`] }],
    ['the key with a wrong first character', { headers: [`x-api-key: ${flipped(0)}`] }],
    ['the key with a wrong last character', { headers: [`x-api-key: ${flipped(KEY.length - 1)}`] }],
    ['the key in lower case', { headers: [`x-api-key: ${KEY.toLowerCase()}`] }],
    ['the key twice in one value', { headers: [`x-api-key: ${KEY}${KEY}`] }],
    ['the key in a list', { headers: [`x-api-key: ${KEY}, ${KEY}`] }],
    ['the key in quotes', { headers: [`x-api-key: "${KEY}"`] }],
    [
      'the key with a byte of its own in it',
      { headers: [`x-api-key: ${KEY.slice(0, 5)}\xa0${KEY.slice(5)}`] },
    ],
    ['the key percent-encoded', { headers: [`x-api-key: %63${KEY.slice(1)}`] }],
    ['the key of another domain', { headers: [`x-api-key: ${OTHER_KEY}`] }],
    ["the domain's upstream key", { headers: [`x-api-key: ${UPSTREAM_KEY}`] }],
    ['the name of the key', { headers: ['x-api-key: Ada'] }],
    ['words such as undefined', { headers: ['x-api-key: undefined', 'authorization: Bearer null'] }],
    [
      'the key as user name',
      { headers: [`authorization: Basic ${Buffer.from(`${KEY}:`).toString('base64')}`] },
    ],
    ['the bare key in authorization', { headers: [`authorization: ${KEY}`] }],
    ['the key in a cookie', { headers: [`cookie: x-api-key=${KEY}`] }],
    ['the key for a proxy', { headers: [`proxy-authorization: Bearer ${KEY}`] }],
    ['the key in another header', { headers: [`x-api_key: ${KEY}`, `api-key: ${KEY}`] }],
    ['the key in the query', { target: `/v1/messages?api_key=${KEY}&x-api-key=${KEY}` }],
    ['the key in the body', { body: JSON.stringify({ api_key: KEY }) }],
    [
      'the key for the domain in X-Forwarded-Host',
      { host: 'other.example.com', headers: [`x-api-key: ${KEY}`, `x-forwarded-host: ${DOMAIN}`] },
    ],
  ])('is closed to %s', async (_, sent) => {
    const before = arrived();
    const answer = await send(sent);
    expect(answer.status).toBe(401);
    expect(errorType(answer)).toBe('authentication_error');
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(arrived()).toBe(before);
  });

  it.each([
    ['x-api-key', [`x-api-key: ${KEY}`]],
    ['a bearer', [`authorization: Bearer ${KEY}`]],
    [
      'both, repeated, with wrong ones beside',
      ['x-api-key: no', `X-API-KEY: ${KEY}`, 'authorization: Bearer no'],
    ],
    [
      'a Connection header that lists them',
      [`x-api-key: ${KEY}`, 'connection: x-api-key, authorization, content-length, host'],
    ],
  ])('sends one credential upstream, its own, for %s', async (_, headers) => {
    expect((await send({ headers: [...headers, `cookie: k=${KEY}`] })).status).toBe(200);
    const received = gateway.upstream.requests.at(-1);
    expect(received?.header('x-api-key')).toBe(UPSTREAM_KEY);
    expect(received?.header('content-length')).toBe('2');
    expect(received?.header('host')).toBe(new URL(gateway.upstream.url).host);
    expect(received?.rawHeaders.join('\n')).not.toContain(KEY);
    expect(received?.header('authorization')).toBeUndefined();
  });

  it.each([
    '/v1/messages/../organizations',
    '/v1/messages/..%2forganizations',
    '/v1/messages/%2e%2e/organizations',
    '/v1/messages/%252e%252e/organizations',
    '/v1/messages/..;/organizations',
    String.raw`/v1/messages\..\organizations`,
    '/v1/./messages',
    '/v1//messages',
    '/v1/messages/',
    '/v1/messages;x',
    '/v1/messages%00',
    '/v1/messages%20',
    '/v1/Messages',
    '/v1/files/../organizations',
    '/v1/files/%2e%2e/organizations',
    '/v1/files//organizations',
    '/v1/models/../organizations',
    '/v1/models/%2e%2e',
  ])('does not forward %s', async (target) => {
    const before = arrived();
    const answer = await send({ target, headers: [`x-api-key: ${KEY}`] });
    expect(answer.status).toBe(403);
    expect(arrived()).toBe(before);
  });

  it.each([['X-Original-URL'], ['X-Rewrite-URL'], ['X-HTTP-Method-Override'], ['X-Forwarded-Prefix']])(
    'takes no other target from %s',
    async (header) => {
      await send({ headers: [`x-api-key: ${KEY}`, `${header}: /v1/organizations`] });
      expect(gateway.upstream.requests.at(-1)).toMatchObject({ method: 'POST', target: '/v1/messages' });
    },
  );

  it.each(['Managed.Example.COM', `${DOMAIN}.`, `${DOMAIN}:443`])(
    'is the same domain as %s',
    async (host) => {
      expect((await send({ host })).status).toBe(401);
      expect((await send({ host, headers: [`x-api-key: ${KEY}`] })).status).toBe(200);
    },
  );
});

describe('a host', () => {
  it.each([
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    `${DOMAIN}/../other.example.com`,
    `${DOMAIN}\\other.example.com`,
    `x@${DOMAIN}`,
    `${DOMAIN}#`,
    `${DOMAIN}?`,
    `${DOMAIN}%00`,
    `${DOMAIN}, other.example.com`,
    `"><script>${ECHO}</script>`,
    `'; drop table nexus.request; --`,
    '$(id)',
    '`id`',
  ])('%s is refused and not repeated', async (host) => {
    const before = arrived();
    for (const target of ['/v1/messages', '/client-setup/setup.sh', '/token-stats', '/client-setup/']) {
      const answer = await send({ method: target === '/v1/messages' ? 'POST' : 'GET', target, host });
      expect(answer.status).toBe(400);
      expect(answer.body).not.toContain(ECHO);
    }
    expect(arrived()).toBe(before);
  });
});

describe('an own error', () => {
  it.each<[string, Sent]>([
    ['an unknown path', { method: 'GET', target: `/${ECHO}?${ECHO}=${ECHO}`, headers: [`${ECHO}: ${ECHO}`] }],
    ['a refused path', { target: `/v1/${ECHO}`, headers: [`x-api-key: ${KEY}`] }],
    ['a wrong key', { headers: [`x-api-key: ${ECHO}`] }],
    ['a line break in the path', { target: `/v1/messages%0d%0a${ECHO}:%201` }],
    ['a line break outside of the API', { method: 'GET', target: `/%0d%0a${ECHO}:%201` }],
    ['a request id', { headers: [`request-id: ${ECHO}`, `x-request-id: ${ECHO}`, `traceparent: ${ECHO}`] }],
  ])('for %s repeats nothing of what was sent', async (_, sent) => {
    const answer = await send(sent);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body + [...answer.headers].join('\n')).not.toContain(ECHO);
  });
});

describe('/client-setup/', () => {
  it.each([
    '../package.json',
    '../../etc/passwd',
    './setup.sh',
    '/etc/passwd',
    '//etc/passwd',
    '%2fetc%2fpasswd',
    '..%2fpackage.json',
    '%2e%2e/package.json',
    '%2e%2e%2fpackage.json',
    '%252e%252e%252fpackage.json',
    '%25252e%25252e/package.json',
    '..%5cpackage.json',
    String.raw`..\package.json`,
    String.raw`..\..\..\etc\passwd`,
    '....//package.json',
    '..;/package.json',
    '.%00./package.json',
    'setup.sh%00.html',
    'setup.sh%00',
    'setup.sh/',
    'setup.sh/../../package.json',
    'setup.sh%0d%0ax:%20y',
    '%c0%ae%c0%ae/package.json',
    '%uff0e%uff0e/package.json',
    '.git/config',
    '.env',
    'file:///etc/passwd',
    'C:/windows/win.ini',
    'C:%5cwindows%5cwin.ini',
    '~/.ssh/id_rsa',
    'con.txt',
    'setup.sh::$DATA',
    '%',
    '%zz',
    `${'a/'.repeat(2000)}x.sh`,
    `${'..%2f'.repeat(500)}etc/passwd`,
  ])('serves nothing at %s', async (path) => {
    const answer = await send({ method: 'GET', target: `/client-setup/${path}` });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body.length).toBeLessThan(500);
    expect(JSON.parse(answer.body)).toMatchObject({ type: 'error' });
  });

  it('fills in no address but that of the Host header, with one of two schemes', async () => {
    const answer = await send({
      method: 'GET',
      target: '/client-setup/setup.sh',
      host: 'gateway.example:3000',
      headers: [`x-forwarded-host: ${ECHO}`, `x-forwarded-proto: ${ECHO}'; id`, `forwarded: host=${ECHO}`],
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("PROXY_URL='http://gateway.example:3000'");
    expect(answer.body).not.toContain(ECHO);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])(
    'does not know the method %s',
    async (method) => {
      const answer = await send({ method, target: '/client-setup/setup.sh', headers: [`x: ${ECHO}`] });
      expect(answer.status).toBe(404);
      expect(answer.body).not.toContain(ECHO);
    },
  );
});
