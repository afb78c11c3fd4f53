import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import {
  answer,
  chunk,
  dechunk,
  LAST_CHUNK,
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

describe('request bytes', () => {
  const bodies: [string, string][] = [
    ['unknown fields, key order and white space', '{ "z":1,\n\t"unknown" : {"a":[ ]} ,"model":"x" }  \r\n'],
    ['duplicate keys', '{"a":1,"a":2,"a":{"a":3,"a":4}}'],
    ['number spellings', '[1.0,1e2,-0,1E+02,123456789012345678901234567890,0.1e-7]'],
    ['escapes and lone surrogates', String.raw`{"t":"\u00e9\/\ud800 \udc00\ud83d x\u0000"}`],
    ['bytes that are neither JSON nor UTF-8', '\x00\xff\xfe\x80{"\xed\xa0\x80"}\r\n\r\n0\r\n\r\n'],
    ['one byte', '{'],
  ];

  it.each(bodies)('go upstream identical: %s', async (_name, body) => {
    const client = await wire.client();
    client.write(post(body));
    const upstream = await wire.upstream.request();
    await upstream.until(body);
    upstream.write(answer('200 OK', '{}'));
    await client.until('{}');
    expect(parts(upstream.text).body).toBe(body);
    expect((await wire.recorder.recording()).request).toBe(body);
  });

  it('go upstream identical when the body is 2 MB of every byte value', async () => {
    const body = Buffer.alloc(2_000_000);
    for (let i = 0; i < body.length; i++) body[i] = (i * 7919) >> 3;
    const client = await wire.client();
    client
      .write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
      .write(body);
    const upstream = await wire.upstream.request();
    const head = parts(upstream.text);
    const received = await upstream.untilLength(upstream.text.indexOf('\r\n\r\n') + 4 + body.length);
    expect(head.start).toBe('POST /v1/messages HTTP/1.1');
    expect(received.subarray(-body.length).equals(body)).toBe(true);
    upstream.write(answer('200 OK', '{}'));
    await client.until('{}');
    const recording = await wire.recorder.recording();
    expect(Buffer.concat(recording.requestChunks).equals(body)).toBe(true);
    expect(recording.requestEnded).toBe(true);
  });

  it('keep the client’s content encoding and its bytes', async () => {
    const client = await wire.client();
    client.write(post('\x1f\x8b\x08\x00gzip', ['Content-Encoding: gzip']));
    const upstream = await wire.upstream.request();
    await upstream.until('\x1f\x8b\x08\x00gzip');
    expect(parts(upstream.text).headers).toContain('Content-Encoding: gzip');
  });

  it('are sent on chunked when they came chunked', async () => {
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.write(chunk('first') + chunk('second'));
    const upstream = await wire.upstream.request();
    await upstream.until('second');
    client.write('0\r\nX-Trailer: dropped\r\n\r\n');
    await upstream.until(ENDED);
    expect(upstream.text.toLowerCase()).toContain('transfer-encoding: chunked');
    expect(dechunk(parts(upstream.text).body)).toEqual({ text: 'firstsecond', complete: true });
  });

  it('leave a request without a body without one', async () => {
    const client = await wire.client();
    client.write('GET /v1/models?limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await wire.upstream.request();
    expect(upstream.text).toBe(
      `GET /v1/models?limit=1000 HTTP/1.1\r\nhost: 127.0.0.1:${wire.upstream.port}\r\nconnection: keep-alive\r\n\r\n`,
    );
    expect((await wire.recorder.recording()).requestEnded).toBe(true);
  });
});

describe('request target and headers', () => {
  it.each(['?beta=true', '?a=1&a=2&&=&b', '?q=%zz%20+/?x:@!$&()*,;=%E9', '?', '//x/../y/%2e%2e/.'])(
    'keep the query and path verbatim: %s',
    async (query) => {
      const client = await wire.client();
      client.write(`GET /v1/messages${query} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const upstream = await wire.upstream.request();
      expect(parts(upstream.text).start).toBe(`GET /v1/messages${query} HTTP/1.1`);
    },
  );

  it('keep case, order, duplicates, empty and latin1 values of end-to-end headers', async () => {
    const sent = [
      'x-ZULU: 1',
      'Anthropic-Beta: a-1,b-2',
      'anthropic-beta: c-3',
      'ANTHROPIC-VERSION: 2023-06-01',
      'X-Empty:',
      'X-Latin: caf\xe9',
      'x-api-key: k',
      'Authorization: Bearer t',
      'Cookie: a=1',
      'cookie: b=2',
      'User-Agent: claude-cli/2.1.330 (external, sdk-cli)',
      'accept-encoding: gzip, deflate, br, zstd',
      'x-alpha: 2',
      'X-Stainless-Retry-Count: 0',
    ];
    const client = await wire.client();
    client.write(post('{}', sent));
    const upstream = await wire.upstream.request();
    const ours = ['host: ', 'connection: ', 'content-length: '];
    const received = parts(upstream.text).headers.filter(
      (line) => !ours.some((name) => line.startsWith(name)),
    );
    expect(received).toEqual(sent.map((line) => (line === 'X-Empty:' ? 'X-Empty: ' : line)));
  });

  it('drop what is meant for this hop only, names listed in Connection included', async () => {
    const client = await wire.client();
    client.write(
      post('{}', [
        'Connection: keep-alive, X-Hop , x-other,content-length',
        'X-Hop: 1',
        'x-OTHER: 2',
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'Proxy-Authorization: Basic eA==',
        'TE: trailers',
        'Trailer: x',
        'X-End-To-End: kept',
      ]),
    );
    const upstream = await wire.upstream.request();
    expect(parts(upstream.text).headers).toEqual([
      `host: 127.0.0.1:${wire.upstream.port}`,
      'connection: keep-alive',
      'X-End-To-End: kept',
      'content-length: 2',
    ]);
  });

  it('keep the length even when Connection lists it', async () => {
    const client = await wire.client();
    client.write(
      'POST /v1/x HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: 9\r\n\r\n{',
    );
    const upstream = await wire.upstream.request();
    client.write('"rest":1}');
    expect(parts(await upstream.until('"rest":1')).headers).toContain('content-length: 9');
  });

  it('ignore an offer of h2c, which is for this hop only', async () => {
    const client = await wire.client();
    client.write(
      'GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    );
    const upstream = await wire.upstream.request();
    expect(parts(upstream.text).headers).toHaveLength(2);
    upstream.write(answer('200 OK', 'ok'));
    expect(await client.until('ok')).toMatch(/^HTTP\/1.1 200 OK/);
  });
});

describe('a path in the upstream’s address', () => {
  it('is put before that of the request', async () => {
    const prefixed = await startHarness({
      upstreamUrl: (port) => `http://127.0.0.1:${port}/gateway/anthropic/`,
    });
    const client = await prefixed.client();
    client.write('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await prefixed.upstream.request();
    expect(parts(upstream.text).start).toBe('GET /gateway/anthropic/v1/models HTTP/1.1');
    await prefixed.close();
  });
});

describe('answers', () => {
  it('keep status, reason, header case, order, duplicates and unknown headers', async () => {
    const headers = [
      'Date: Mon, 23 Nov 2026 10:00:00 GMT',
      'content-TYPE: application/json',
      'request-id: req_1',
      'anthropic-ratelimit-unified-status: allowed',
      'Set-Cookie: a=1',
      'X-Unknown: \xe9',
      'set-cookie: b=2',
      'retry-after: 7',
      'x-should-retry: false',
      'Server: test',
    ];
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write(answer('429 Slow Down, Please', '{"type":"error"}', headers));
    const got = parts(await client.until('"error"}'));
    expect(got.start).toBe('HTTP/1.1 429 Slow Down, Please');
    expect(got.headers).toEqual([
      ...headers,
      'Content-Length: 16',
      'Connection: keep-alive',
      'Keep-Alive: timeout=630',
    ]);
    const recording = await wire.recorder.recording();
    expect(recording.head?.status).toBe(429);
    expect(recording.head?.headers.slice(0, 4)).toEqual([
      'Date',
      'Mon, 23 Nov 2026 10:00:00 GMT',
      'content-TYPE',
      'application/json',
    ]);
    expect(recording.endRecord).toMatchObject({ outcome: 'error', status: 429 });
  });

  it('drop what is meant for this hop only', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    const hop = [
      'Connection: close, X-Hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=1',
      'Proxy-Authenticate: Basic',
      'A: b',
    ];
    upstream.write(answer('200 OK', 'done', hop));
    expect(parts(await client.until('done')).headers).toEqual([
      'A: b',
      'Content-Length: 4',
      'Connection: keep-alive',
      'Keep-Alive: timeout=630',
    ]);
  });

  it.each([
    ['a redirect', '307 Temporary Redirect', '', ['Location: https://elsewhere/v1/messages']],
    [
      'an HTML error page',
      '502 Bad Gateway',
      '<html>\r\n<h1>502</h1>\x00\xff</html>',
      ['Content-Type: text/html'],
    ],
    ['gzip bytes', '200 OK', '\x1f\x8b\x08\x00\xff', ['Content-Encoding: gzip']],
    ['brotli bytes', '200 OK', '\x8b\x02\x80hi\x03', ['content-encoding: br']],
    ['an unusual status', '599 Weird', 'x', []],
    ['an empty reason', '200 ', 'x', []],
    [
      '529 overloaded',
      '529 Overloaded',
      '{"type":"error","error":{"type":"overloaded_error"}}',
      ['x-should-retry: true'],
    ],
  ])('pass %s on as it is', async (_name, status, body, headers) => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write(answer(status, body, headers));
    await client.until(`Keep-Alive: timeout=630\r\n\r\n${body}`);
    const got = parts(client.text);
    expect(got.start).toBe(`HTTP/1.1 ${status}`);
    expect(got.headers.slice(0, headers.length)).toEqual(headers);
    expect(got.body).toBe(body);
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: b\r\n\r\n', 'Content-Length: 12345'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n', 'X-A: b'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 99\r\n\r\n', 'Content-Length: 99'],
    ['POST', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b\r\n\r\n', 'Content-Length: 0'],
  ])('without a body end with their head: %s %j', async (method, head, expected) => {
    const client = await wire.client();
    client.write(`${method} /v1/models HTTP/1.1\r\nHost: a\r\n\r\n`);
    const upstream = await wire.upstream.request();
    upstream.write(head);
    const got = parts(await client.until('\r\n\r\n'));
    expect(got.headers).toContain(expected);
    expect(got.body).toBe('');
    client.take();
    client.write('GET /v1/second HTTP/1.1\r\nHost: a\r\n\r\n');
    const reused = method === 'POST' || expected === 'X-A: b';
    const next = reused ? upstream : await wire.upstream.request();
    await next.until('/v1/second');
    next.write(answer('200 OK', 'second'));
    expect(parts(await client.until('second')).body).toBe('second');
  });

  it('of unknown length end where the upstream’s connection ends', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nall of it').end();
    const got = await client.until(ENDED);
    expect(dechunk(parts(got).body)).toEqual({ text: 'all of it', complete: true });
    expect((await wire.recorder.recording()).endRecord?.outcome).toBe('completed');
  });

  it('keep trailers, their case and duplicates', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n');
    upstream.write(`${chunk('abc')}0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n`);
    const got = parts(await client.until('x-sum: 2\r\n\r\n'));
    expect(got.headers).toContain('Trailer: X-Sum');
    expect(got.body).toBe('3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n');
  });

  it.each([
    'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTrailer: X-Sum\r\n\r\nok',
  ])('drop a Trailer header where no trailers can follow: %j', async (text) => {
    const client = await wire.client();
    client.write(post('{}'));
    (await wire.upstream.request()).write(text);
    const got = parts(await client.until('ok'));
    expect(got.headers).not.toContain('Trailer: X-Sum');
    expect(got.headers).toContain('Content-Length: 2');
  });

  it('pass interim answers on before the final one', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Hint: 1\r\n\r\n');
    await client.until('\r\n\r\n');
    expect(client.take()).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Hint: 1\r\n\r\n');
    upstream.write(answer('200 OK', 'final'));
    expect(await client.until('final')).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  it('are the same wherever the network cuts them', async () => {
    const text = answer('404 Not Found', '{"a":"b"}', ['X-Abc: d e f']);
    const client = await wire.client();
    for (let cut = 1; cut < text.length; cut++) {
      client.write(post('{}'));
      const [upstream = await wire.upstream.request()] = wire.upstream.connections;
      await upstream.until('\r\n\r\n{}');
      upstream.take();
      upstream.write(text.slice(0, cut));
      // The second turn comes after the relay has read.
      for (let turn = 0; turn < 2; turn++) await nextTurn();
      upstream.write(text.slice(cut));
      const got = parts(await client.until('{"a":"b"}'));
      client.take();
      expect(got.start).toBe('HTTP/1.1 404 Not Found');
      expect(got.headers.slice(0, 2)).toEqual(['X-Abc: d e f', 'Content-Length: 9']);
    }
  });

  it('are closed instead of chunked for an HTTP/1.0 client', async () => {
    const client = await wire.client();
    client.write('GET /v1/models HTTP/1.0\r\nHost: a\r\n\r\n');
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('whole') + LAST_CHUNK);
    const got = parts(await client.untilClosed());
    expect(got.body).toBe('whole');
    expect(got.headers).toContain('Connection: close');
  });
});
