import { describe, expect, it } from 'vitest';

import type { DomainCredential } from '../credentials/domain-credential.ts';
import { HeaderView } from '../relay/header-view.ts';
import type { AccessDecision } from '../relay/ports.ts';
import { hostOf } from '../host.ts';
import { AccountIds } from './account-ids.ts';
import { createAccessDecider } from './access.ts';
import type { AccessOptions } from './access.ts';
import { ClientKeys } from './client-keys.ts';
import { identifyPrincipal } from './principal.ts';

const CLIENT_KEY = 'cnx-client-key-of-ada';
const UPSTREAM_KEY = 'sk-ant-upstream-key';

const managed: DomainCredential = {
  domain: 'managed.example.com',
  accountId: 'team-a',
  clientKeys: new ClientKeys([{ name: 'Ada', key: CLIENT_KEY }]),
  allowedPaths: ['/v1/files', '/v1/files/*'],
  outboundHeader: ['x-api-key', UPSTREAM_KEY],
};

/** A request as the tests write it. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: string[];
}

function options(changes: Partial<AccessOptions> = {}): AccessOptions {
  return {
    credentials: {
      find: (domain) =>
        domain === managed.domain ? managed : domain === 'broken.example.com' ? 'unusable' : undefined,
    },
    passthrough: 'allow',
    enableClientAuth: true,
    accountIds: new AccountIds('a secret of the deployment'),
    ...changes,
  };
}

function request(changes: Partial<Asked> & { host?: string; headers?: string[] } = {}): Asked {
  const { host = managed.domain, headers = [], ...rest } = changes;
  return { method: 'POST', path: '/v1/messages', rawHeaders: ['Host', host, ...headers], ...rest };
}

function decide(asked: Asked, changes: Partial<AccessOptions> = {}): AccessDecision {
  const { method, path, rawHeaders } = asked;
  return createAccessDecider(options(changes))({
    method,
    path,
    domain: hostOf(rawHeaders)?.domain ?? '',
    headers: new HeaderView(rawHeaders),
  });
}

const STRIPPED = new Set(['authorization', 'x-api-key', 'cookie', 'proxy-authorization']);
const BEARER = ['Authorization', `Bearer ${CLIENT_KEY}`];

describe('a managed domain', () => {
  it.each([
    ['a bearer token', BEARER],
    ['a bearer token in odd case', ['AUTHORIZATION', `bearer  ${CLIENT_KEY}`]],
    ['x-api-key', ['X-Api-Key', CLIENT_KEY]],
    ['both headers alike', [...BEARER, 'x-api-key', CLIENT_KEY]],
    ['one right and one wrong header', ['Authorization', 'Bearer wrong', 'x-api-key', CLIENT_KEY]],
    ['a right one after a wrong one of the same name', ['x-api-key', 'wrong', 'x-api-key', CLIENT_KEY]],
  ])('accepts the client key as %s', (_, headers) => {
    expect(decide(request({ headers }))).toEqual({
      kind: 'forward',
      domain: 'managed.example.com',
      scope: 'domain:managed.example.com',
      accountId: 'team-a',
      clientKeyName: 'Ada',
      outboundHeaders: { strip: STRIPPED, add: [['x-api-key', UPSTREAM_KEY]] },
      recordBody: true,
    });
  });

  it.each<[string, string[]]>([
    ['no credential', []],
    ['a wrong key', ['x-api-key', 'wrong']],
    ['the upstream key', ['x-api-key', UPSTREAM_KEY]],
    ['the key as basic credentials', ['Authorization', `Basic ${CLIENT_KEY}`]],
    ['the bare key in authorization', ['Authorization', CLIENT_KEY]],
    ['the key in a cookie', ['Cookie', CLIENT_KEY]],
    [
      'the key behind too many others',
      [...Array.from({ length: 8 }, () => ['x-api-key', 'no']).flat(), 'x-api-key', CLIENT_KEY],
    ],
  ])('answers 401 that is not to be retried to %s', (_, headers) => {
    expect(decide(request({ headers }))).toMatchObject({
      kind: 'refuse',
      status: 401,
      errorType: 'authentication_error',
      shouldRetry: false,
    });
  });

  it.each<[string, 'forward' | 'refuse']>([
    ['/v1/messages', 'forward'],
    ['/v1/messages/count_tokens', 'forward'],
    ['/v1/models', 'forward'],
    ['/v1/models/claude-opus-5-5', 'forward'],
    ['/v1/files', 'forward'],
    ['/v1/files/file_1/content', 'forward'],
    ['/v1/messages?beta=true', 'forward'],
    ['/v1/organizations?x=/v1/messages', 'refuse'],
    ['/v1/messages/', 'refuse'],
    ['/v1/messages/batches', 'refuse'],
    ['/v1/Messages', 'refuse'],
    ['/v1/models/', 'refuse'],
    ['/v1/models/..', 'refuse'],
    ['/v1/models/a/b', 'refuse'],
    ['/v1/models/%2e%2e', 'refuse'],
    ['/v1/filesystem', 'refuse'],
    ['/v1/files/../organizations', 'refuse'],
    ['/v1/files/..', 'refuse'],
    ['/v1/files/.', 'refuse'],
    ['/v1/files//x', 'refuse'],
    ['/v1/files/%2e%2e/organizations', 'refuse'],
    ['/v1/files/..\\organizations', 'refuse'],
    ['/v1/organizations', 'refuse'],
  ])('decides about %s: %s', (path, kind) => {
    const expected = {
      refuse: { status: 403, errorType: 'permission_error', shouldRetry: false },
      forward: {},
    };
    expect(decide(request({ path, headers: BEARER }))).toMatchObject({ kind, ...expected[kind] });
  });

  it('asks for the key before it says which paths there are', () => {
    expect(decide(request({ path: '/v1/organizations' }))).toMatchObject({ status: 401 });
  });

  it('is open to everybody with ENABLE_CLIENT_AUTH=false, and still strips what clients send', () => {
    const decision = decide(request({ headers: ['x-api-key', 'anything'] }), { enableClientAuth: false });
    expect(decision).toMatchObject({
      kind: 'forward',
      accountId: 'team-a',
      outboundHeaders: { strip: STRIPPED, add: [['x-api-key', UPSTREAM_KEY]] },
    });
    expect(decision).not.toHaveProperty('clientKeyName');
  });

  it('is found under its name with port, capitals and trailing dot', () => {
    const decision = decide(request({ host: 'Managed.Example.COM.:3000', headers: BEARER }));
    expect(decision).toMatchObject({ kind: 'forward', domain: 'managed.example.com' });
  });

  it('refuses all while no version of its file was good, rather than pass client keys on', () => {
    const decision = decide(request({ host: 'broken.example.com', headers: BEARER }));
    expect(decision).toMatchObject({ kind: 'refuse', status: 503, errorType: 'api_error' });
  });
});

/** The account a request to a domain without a file belongs to. */
function account(headers: string[], changes: Partial<AccessOptions> = {}): string | undefined {
  const decision = decide(request({ host: 'elsewhere.example.com', headers }), changes);
  return decision.kind === 'forward' ? decision.accountId : undefined;
}

describe('a domain without a file', () => {
  const host = 'elsewhere.example.com';

  it('forwards the own credential untouched and knows the account by a keyed hash', () => {
    const decision = decide(request({ host, headers: ['Authorization', 'Bearer sk-ant-oat-own'] }));
    const accountId = account(['Authorization', 'Bearer sk-ant-oat-own']);
    expect(accountId).toMatch(/^[0-9a-f]{32}$/);
    expect(decision).toEqual({
      kind: 'forward',
      domain: host,
      scope: `account:${accountId}`,
      accountId,
      outboundHeaders: { strip: new Set(['proxy-authorization']), add: [] },
      recordBody: true,
    });
  });

  it('has one account for the same value in either header, another for another value or another hash key', () => {
    const own = account(['Authorization', 'Bearer key-1']);
    expect(account(['x-api-key', 'key-1'])).toBe(own);
    expect(account(['x-api-key', 'key-1', 'Authorization', 'Bearer key-1'])).toBe(own);
    expect(account(['x-api-key', 'key-2'])).not.toBe(own);
    expect(account(['x-api-key', 'key-1'], { accountIds: new AccountIds('another secret') })).not.toBe(own);
  });

  it('forwards a request without credential, for the upstream to refuse in its own words', () => {
    const decision = decide(request({ host }));
    expect(decision).toMatchObject({ kind: 'forward', scope: 'account:none' });
    expect(decision).not.toHaveProperty('accountId');
  });

  it('forwards every path', () => {
    expect(decide(request({ host, path: '/v1/organizations' })).kind).toBe('forward');
  });

  it.each<Partial<AccessOptions>>([{ passthrough: 'deny' }, { accountIds: undefined }])(
    'is refused with 403 under %j',
    (changes) => {
      expect(decide(request({ host, headers: BEARER }), changes)).toMatchObject({
        kind: 'refuse',
        status: 403,
        errorType: 'permission_error',
        shouldRetry: false,
      });
    },
  );
});

describe('any request', () => {
  it.each([
    ['POST', '/v1/messages', true],
    ['POST', '/v1/messages?beta=true', true],
    ['GET', '/v1/messages', false],
    ['POST', '/v1/messages/count_tokens', false],
    ['GET', '/v1/models', false],
  ])('%s %s has its body recorded: %s', (method, path, recordBody) => {
    expect(decide(request({ method, path, headers: BEARER }))).toMatchObject({ recordBody });
    expect(decide(request({ host: 'other.example.com', method, path }))).toMatchObject({ recordBody });
  });

  it('gives no refusal a text that holds a credential', () => {
    for (const host of [managed.domain, 'broken.example.com']) {
      const decision = decide(request({ host, headers: ['x-api-key', 'sk-MARKEDSECRET'] }));
      expect(JSON.stringify(decision)).not.toContain('MARKEDSECRET');
    }
  });
});

describe('identifyPrincipal', () => {
  const host = ['Host', 'elsewhere.example.com'];

  it('gives a client key its domain, also when ENABLE_CLIENT_AUTH=false', () => {
    for (const enableClientAuth of [true, false]) {
      expect(
        identifyPrincipal(request({ headers: BEARER }).rawHeaders, options({ enableClientAuth })),
      ).toEqual({
        domain: 'managed.example.com',
      });
    }
  });

  it('gives a pass-through credential the account its requests are counted under', () => {
    const headers = [...host, 'x-api-key', 'key-1'];
    const decision = decide({ ...request(), rawHeaders: headers });
    expect(identifyPrincipal(headers, options())).toEqual({
      accountId: (decision as { accountId: string }).accountId,
    });
  });

  it.each<[string, string[], Partial<AccessOptions>, number]>([
    ['a wrong client key', request({ headers: ['x-api-key', 'no'] }).rawHeaders, {}, 401],
    ['no client key, even when clients need none', request().rawHeaders, { enableClientAuth: false }, 401],
    ['no pass-through credential', host, {}, 401],
    ['a domain that is not served', [...host, 'x-api-key', 'key-1'], { passthrough: 'deny' }, 403],
    ['a domain whose file is broken', ['Host', 'broken.example.com'], {}, 503],
    ['an invalid host', ['Host', ''], {}, 400],
  ])('refuses %s', (_, headers, changes, status) => {
    expect(identifyPrincipal(headers, options(changes))).toMatchObject({ status });
  });
});
