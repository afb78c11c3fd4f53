import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import {
  answer,
  chunk,
  errorOf,
  FORWARD,
  parts,
  post,
  SSE_HEAD,
  startHarness,
  ENDED,
} from './testing/harness.ts';

let wire: Harness;

beforeEach(async () => {
  wire = await startHarness();
});

afterEach(async () => {
  await wire.close();
});

async function restart(options: Parameters<typeof startHarness>[0]): Promise<void> {
  await wire.close();
  wire = await startHarness(options);
}

const H = 'POST /v1/messages HTTP/1.1\r\nHost: a\r\n';
const G = 'GET /v1/models HTTP/1.1\r\nHost: a\r\n';
const C = `${H}Transfer-Encoding: chunked\r\n\r\n`;

describe('malformed and smuggling requests', () => {
  const refused: [string, string, number][] = [
    [
      'Content-Length and Transfer-Encoding',
      `${H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'Transfer-Encoding and Content-Length',
      `${H}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['RTSP', 'POST /v1/messages RTSP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 400],
    ['RTSP outside of the API', 'OPTIONS /health RTSP/1.0\r\nHost: a\r\n\r\n', 400],
    ['ICE', 'SOURCE /v1/messages ICE/1.0\r\nHost: a\r\n\r\n', 400],
    ['a repeated length', `${H}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    ['two lengths', `${H}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`, 400],
    ['a list of lengths', `${H}Content-Length: 4, 4\r\n\r\nabcd`, 400],
    ['a signed length', `${H}Content-Length: +4\r\n\r\nabcd`, 400],
    ['a negative length', `${H}Content-Length: -4\r\n\r\nabcd`, 400],
    ['a hexadecimal length', `${H}Content-Length: 0x4\r\n\r\nabcd`, 400],
    ['an empty length', `${H}Content-Length:\r\n\r\nabcd`, 400],
    ['an overflowing length', `${H}Content-Length: 99999999999999999999\r\n\r\nabcd`, 400],
    ['a space before the colon', `${H}Content-Length : 4\r\n\r\nabcd`, 400],
    ['bare LF everywhere', post('abcd').replaceAll('\r\n', '\n'), 400],
    ['bare LF after a header', `${H}X: y\nContent-Length: 4\r\n\r\nabcd`, 400],
    ['bare LF at the end of the head', `${H}Content-Length: 4\r\n\nabcd`, 400],
    ['bare CR in a header', `${H}X: y\rContent-Length: 4\r\n\r\nabcd`, 400],
    ['a folded header', `${G}X: y\r\n z\r\n\r\n`, 400],
    ['NUL in a header', `${G}X: a\0b\r\n\r\n`, 400],
    ['a control character in a header', `${G}X: a\x01b\r\n\r\n`, 400],
    ['a header without a colon', `${G}Xab\r\n\r\n`, 400],
    ['a header without a name', `${G}: x\r\n\r\n`, 400],
    [
      'a repeated coding',
      `${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['another coding before chunked', `${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
    ['another coding after chunked', `${H}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
    ['an unknown coding', `${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    [
      'a coding with HTTP/1.0',
      'POST /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a target with a scheme', 'GET http://evil/v1/models HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a target with two slashes', 'GET //evil/v1/models HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a target with a backslash', 'GET /\\evil/v1/models HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a fragment', 'GET /v1/models#x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a space in the target', 'GET /v1/a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a raw byte in the target', 'GET /v1/\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no host', 'GET /v1/models HTTP/1.1\r\n\r\n', 400],
    ['no host with HTTP/1.0', 'GET /v1/models HTTP/1.0\r\n\r\n', 400],
    ['two hosts', 'GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
    ['a host that is none', 'GET /v1/models HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['HTTP/2.0', 'GET /v1/models HTTP/2.0\r\nHost: a\r\n\r\n', 400],
    ['HTTP/1.2', 'GET /v1/models HTTP/1.2\r\nHost: a\r\n\r\n', 400],
    ['HTTP/0.9', 'GET /v1/models\r\n\r\n', 400],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400],
    ['an unknown method', 'FOO /v1/models HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['CONNECT', 'CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['an upgrade', `${G}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 400],
    ['an expectation other than 100-continue', `${H}Expect: magic\r\nContent-Length: 0\r\n\r\n`, 417],
    ['a header bomb of one', `${G}X: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['a header bomb of many', `${G}${'a:b\r\n'.repeat(300)}\r\n`, 431],
    ['a header bomb of very many', `${G}${'a:b\r\n'.repeat(9000)}\r\n`, 431],
    ['a target bomb', `GET /v1/${'a'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ];

  it.each(refused)('%s: refused in our shape, nothing sent upstream', async (_name, request, status) => {
    const client = await wire.client();
    client.write(request);
    const text = await client.until('"request_id"');
    expect(parts(text).start).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(errorOf(text)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(parts(text).headers).toEqual(
      expect.arrayContaining(['content-type: application/json', 'x-should-retry: false']),
    );
    expect(wire.upstream.connections).toHaveLength(0);
    expect(wire.recorder.recordings).toHaveLength(0);
  });

  it.each([
    ['bare LF in a chunk size', '4\nabcd\r\n0\r\n\r\n'],
    ['bare LF after a chunk', '4\r\nabcd\n0\r\n\r\n'],
    ['a signed chunk size', '+4\r\nabcd\r\n0\r\n\r\n'],
    ['a prefixed chunk size', '0x4\r\nabcd\r\n0\r\n\r\n'],
    ['an overflowing chunk size', 'fffffffffffffffff\r\nabcd'],
    ['a chunk longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a space after a chunk size', '4 \r\nabcd\r\n0\r\n\r\n'],
    ['a length among the trailers', '0\r\nContent-Length: 5\r\n\r\n'],
  ])('%s: 400, the upstream request is cut, never completed', async (_name, body) => {
    const client = await wire.client();
    client.write(C + chunk('first'));
    const upstream = await wire.upstream.request();
    await upstream.until('first');
    client.write(body);
    const text = await client.until('"request_id"');
    expect(parts(text).start).toBe('HTTP/1.1 400 Bad Request');
    await upstream.closed;
    expect(upstream.text).not.toMatch(ENDED);
    expect(await (await wire.recorder.recording()).ended).toMatchObject({
      outcome: 'error',
      status: 400,
      errorType: 'invalid_request_error',
      requestTruncated: true,
    });
  });

  it('a broken chunk after the answer has begun cuts it', async () => {
    const client = await wire.client();
    client.write(C + chunk('first'));
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('early'));
    await client.until('early');
    client.write('zzz\r\n');
    expect(await client.untilClosed()).not.toMatch(ENDED);
    await upstream.closed;
    expect((await (await wire.recorder.recording()).ended).outcome).toBe('error');
  });

  it('what follows a whole request is not read as part of it: the request is served, then the connection closed', async () => {
    const client = await wire.client();
    client.write(`${post('{"a":1}')}SMUGGLED / HTTP/1.1\r\n\r\n`);
    const upstream = await wire.upstream.request();
    await upstream.until('{"a":1}');
    upstream.write(answer('200 OK', 'served'));
    const got = parts(await client.untilClosed());
    expect(got.body).toBe('served');
    expect(parts(upstream.text).body).toBe('{"a":1}');
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it('a client that leaves after sending rubbish behind a request still aborts it', async () => {
    const client = await wire.client();
    client.write(`${post('{"a":1}')}SMUGGLED\r\n\r\n`);
    const upstream = await wire.upstream.request();
    client.end();
    await upstream.closed;
    expect((await (await wire.recorder.recording()).ended).outcome).toBe('aborted');
  });

  it.each([
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked', '1.1'],
    ['a coding beside chunked', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', '1.1'],
    ['a coding with HTTP/1.0', 'Connection: keep-alive\r\nTransfer-Encoding: chunked', '1.0'],
  ])('what follows a request refused for %s is not taken for a request', async (_name, headers, version) => {
    const client = await wire.client();
    const body = `${chunk('abcd')}0\r\n\r\n`;
    client.write(
      `POST /v1/x HTTP/${version}\r\nHost: a\r\n${headers}\r\n\r\n${body}${post('{"smuggled":1}')}`,
    );
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 400 /);
    expect(client.text.match(/HTTP\/1.1 /g)).toHaveLength(1);
    expect(wire.upstream.connections).toHaveLength(0);
    expect(wire.recorder.recordings).toHaveLength(0);
  });

  it('a request that breaks off in its body is refused after the answer to the one before it', async () => {
    const client = await wire.client();
    client.write(`${post('{"n":1}')}${C}${chunk('first')}`);
    const peers = [await wire.upstream.request(), await wire.upstream.request()];
    const texts = await Promise.all(peers.map((peer) => peer.until(/"n":1|first/)));
    const [good, broken] = texts[0]?.includes('"n":1') === true ? peers : peers.toReversed();
    client.write('zzz\r\n');
    await broken?.closed;
    good?.write(answer('200 OK', 'served'));
    const text = await client.until('"request_id"');
    expect(parts(text).body).toMatch(/^servedHTTP\/1.1 400 Bad Request\r\n/);
    expect(await client.untilClosed()).toBe(text);
  });

  it('CONNECT behind requests in progress ends the connection, and those upstream, too', async () => {
    const client = await wire.client();
    client.write(`${post('{"n":1}')}${post('{"n":2}')}CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.untilClosed()).toBe('');
    for (const index of [0, 1]) {
      const recording = await wire.recorder.recording(index);
      expect(await recording.ended).toMatchObject({ outcome: 'aborted' });
    }
    expect(wire.relay.inflight()).toBe(0);
  });

  it('the refusal reaches a client that has still much to send', async () => {
    const client = await wire.client();
    client.write(`${H}Transfer-Encoding: gzip, chunked\r\n\r\n`);
    for (let i = 0; i < 50; i++) client.write(chunk('x'.repeat(100_000)));
    expect(errorOf(await client.until('"request_id"')).error.type).toBe('invalid_request_error');
  });

  it('the refusal of what cannot even be read reaches a client that has still much to send', async () => {
    const client = await wire.client();
    client.write(`${G}X: ${'a'.repeat(100_000)}`);
    for (let i = 0; i < 50; i++) client.write('a'.repeat(100_000));
    expect(parts(await client.until('"request_id"')).start).toMatch(/^HTTP\/1.1 431 /);
    client.write('a'.repeat(100_000));
    await nextTurn();
    expect(client.ended).toBe(false);
  });

  it('two requests in one packet get their answers in order', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}') + post('{"n":2}'));
    const first = await wire.upstream.request();
    const second = await wire.upstream.request();
    const [one, two] = first.text.includes('"n":1') ? [first, second] : [second, first];
    two.write(answer('200 OK', 'second'));
    await (
      await wire.recorder.recording(1)
    ).ended;
    one.write(answer('200 OK', 'first'));
    const text = await client.until('second');
    expect(text.indexOf('first')).toBeLessThan(text.indexOf('second'));
  });
});

describe('pipelined requests', () => {
  it('hold back an answer that is ready before that of an earlier request, without collecting it', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}') + post('{"n":2}'));
    const peers = [await wire.upstream.request(), await wire.upstream.request()];
    const texts = await Promise.all(peers.map((peer) => peer.until('}')));
    const firstIndex = texts.findIndex((text) => text.includes('"n":1'));
    const second = peers[1 - firstIndex];
    const length = 16_000_000;
    second?.write(answer('200 OK', 'z'.repeat(length)));
    const recording = await wire.recorder.recording(1);
    while (recording.responseChunks.length === 0) await nextTurn();
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(recording.response.length).toBeLessThan(length / 2);
    peers[firstIndex]?.write(answer('200 OK', 'first'));
    await recording.ended;
    const bytes = await client.untilLength(length + 50);
    expect(parts(bytes.toString('latin1', 0, 1000)).body).toMatch(/^firstHTTP\/1.1 200 OK\r\n/);
    expect(bytes.at(-1)).toBe('z'.charCodeAt(0));
  });
});

describe('the routes', () => {
  it.each(['/', '/health', '/v1', '/v2/messages', '/%761/messages'])(
    '%s goes to the fallback',
    async (path) => {
      const client = await wire.client();
      client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(await client.until('fallback ')).toContain(`fallback ${path}`);
      expect(wire.upstream.connections).toHaveLength(0);
    },
  );

  it.each([
    ['a scheme', 'GET http://evil/health HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two slashes', 'GET //evil/health HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ])('the fallback does not see targets with %s', async (_name, request) => {
    const client = await wire.client();
    client.write(request);
    expect(parts(await client.until('"request_id"')).start).toBe('HTTP/1.1 400 Bad Request');
  });

  it('a health check of HTTP/1.0 needs no host', async () => {
    const client = await wire.client();
    client.write('GET /health HTTP/1.0\r\n\r\n');
    expect(await client.untilClosed()).toContain('fallback /health');
  });

  it('a request to the fallback may expect 100-continue', async () => {
    const client = await wire.client();
    client.write('POST /other HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    expect(await client.until('fallback')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  });
});

describe('access decisions', () => {
  it('refusals are answered in our shape and keep the connection when nothing is left to read', async () => {
    await restart({
      relay: {
        access: () => ({
          kind: 'refuse',
          status: 401,
          errorType: 'authentication_error',
          message: 'no key',
          shouldRetry: false,
        }),
      },
    });
    const client = await wire.client();
    for (let n = 0; n < 2; n++) {
      client.write(`${G}\r\n`);
      const text = await client.until('"request_id"');
      client.take();
      expect(parts(text).start).toBe('HTTP/1.1 401 Unauthorized');
      expect(parts(text).headers).toContain('x-should-retry: false');
      expect(errorOf(text).error).toEqual({ type: 'authentication_error', message: 'no key' });
    }
    expect(wire.refusals).toEqual([401, 401]);
    expect(wire.recorder.recordings).toHaveLength(0);
  });

  it('strip and add headers, and see the request as it came', async () => {
    const seen: unknown[] = [];
    await restart({
      relay: {
        access: ({ method, path, domain, headers }) => {
          seen.push(method, path, domain, headers.get('x-api-key'), headers.all('authorization'));
          return {
            ...FORWARD,
            domain,
            accountId: 'team',
            clientKeyName: 'laptop',
            outboundHeaders: {
              strip: new Set(['x-api-key', 'authorization']),
              add: [['x-api-key', 'secret']],
            },
            recordBody: false,
          };
        },
      },
    });
    const client = await wire.client();
    client.write(
      'POST /v1/messages?q=1 HTTP/1.1\r\nHost: Team.Example:3000\r\nX-API-Key: k\r\nAuthorization: a\r\nX-Keep: 1\r\nauthorization: b\r\nContent-Length: 2\r\n\r\n{}',
    );
    const upstream = await wire.upstream.request();
    expect(parts(upstream.text).headers).toEqual([
      `host: 127.0.0.1:${wire.upstream.port}`,
      'connection: keep-alive',
      'X-Keep: 1',
      'x-api-key: secret',
      'content-length: 2',
    ]);
    expect(seen).toEqual(['POST', '/v1/messages?q=1', 'team.example', 'k', ['a', 'b']]);
    expect((await wire.recorder.recording()).start).toMatchObject({
      method: 'POST',
      path: '/v1/messages?q=1',
      domain: 'team.example',
      scope: 'domain:api.test',
      accountId: 'team',
      clientKeyName: 'laptop',
      recordBody: false,
    });
  });

  it('that throw are a 500 without detail', async () => {
    await restart({
      relay: {
        access: () => {
          throw new RangeError('internal detail');
        },
      },
    });
    const client = await wire.client();
    client.write(`${G}\r\n`);
    const text = await client.until('"request_id"');
    expect(parts(text).start).toBe('HTTP/1.1 500 Internal Server Error');
    expect(text).not.toContain('detail');
  });
});
