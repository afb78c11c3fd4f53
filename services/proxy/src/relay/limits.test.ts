import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import {
  answer,
  chunk,
  LAST_CHUNK,
  dechunk,
  errorOf,
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

describe('a body that is too large', () => {
  it('by its declared length is refused before it is read', async () => {
    const client = await wire.client();
    client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${32 * 1024 * 1024 + 1}\r\n\r\n`);
    const text = await client.until('"request_id"');
    expect(parts(text).start).toBe('HTTP/1.1 413 Payload Too Large');
    expect(parts(text).headers).toEqual(
      expect.arrayContaining(['x-should-retry: false', 'connection: close']),
    );
    expect(errorOf(text).error.type).toBe('request_too_large');
    expect(wire.upstream.connections).toHaveLength(0);
    expect(await (await wire.recorder.recording()).ended).toMatchObject({
      outcome: 'error',
      status: 413,
      errorType: 'request_too_large',
      requestTruncated: true,
    });
  });

  it('of exactly 32 MiB is taken', async () => {
    const client = await wire.client();
    client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${32 * 1024 * 1024}\r\n\r\n{`);
    expect(parts((await wire.upstream.request()).text).headers).toContain('content-length: 33554432');
  });

  it('in chunks is refused at the limit, and the upstream request cut', async () => {
    await restart({ relay: { maxBodyBytes: 10 } });
    const client = await wire.client();
    client.write(
      `POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('0123456789')}`,
    );
    const upstream = await wire.upstream.request();
    await upstream.until('0123456789');
    client.write(chunk('x'));
    expect(parts(await client.until('"request_id"')).start).toBe('HTTP/1.1 413 Payload Too Large');
    await upstream.closed;
    const recording = await wire.recorder.recording();
    expect(recording.request).toBe('0123456789');
    expect(await recording.ended).toMatchObject({ outcome: 'error', status: 413, requestTruncated: true });
  });

  it('is answered although the client goes on sending, and then cut off', async () => {
    await restart({ relay: { maxBodyBytes: 10, timeouts: { lingerMs: 30 } } });
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    client.write('x'.repeat(500_000));
    const text = await client.untilClosed();
    expect(errorOf(text).error.type).toBe('request_too_large');
  });
});

function expecting(length: number): string {
  return `POST /v1/messages HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
}

describe('Expect: 100-continue', () => {
  it('is answered when the request is accepted, and not sent on', async () => {
    const client = await wire.client();
    client.write(expecting(7));
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.take();
    client.write('{"a":1}');
    const upstream = await wire.upstream.request();
    await upstream.until('{"a":1}');
    expect(upstream.text.toLowerCase()).not.toContain('expect');
    upstream.write(answer('200 OK', 'done'));
    expect(parts(await client.until('done')).start).toBe('HTTP/1.1 200 OK');
  });

  it('is answered with 413 at once when the declared length is too large', async () => {
    const client = await wire.client();
    client.write(expecting(33_554_433));
    expect(await client.until('"request_id"')).toMatch(/^HTTP\/1.1 413 /);
  });

  it('is answered with the refusal when access is refused', async () => {
    await restart({
      relay: {
        access: () => ({
          kind: 'refuse',
          status: 403,
          errorType: 'permission_error',
          message: 'no',
          shouldRetry: false,
        }),
      },
    });
    const client = await wire.client();
    client.write(expecting(10));
    const text = await client.until('"request_id"');
    expect(text).toMatch(/^HTTP\/1.1 403 /);
    expect(parts(text).headers).toContain('connection: close');
  });
});

describe('draining', () => {
  it('refuses new requests with 503 and retry-after and lets those in progress end', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}'));
    const upstream = await wire.upstream.request();
    wire.relay.drain();
    const late = await wire.client();
    late.write(post('{"n":2}'));
    const text = await late.until('"request_id"');
    expect(parts(text).start).toBe('HTTP/1.1 503 Service Unavailable');
    expect(parts(text).headers).toEqual(expect.arrayContaining(['retry-after: 2', 'x-should-retry: true']));
    expect(errorOf(text).error.type).toBe('overloaded_error');
    upstream.write(answer('200 OK', 'served'));
    const got = parts(await client.untilClosed());
    expect(got.body).toBe('served');
    expect(got.headers).toContain('connection: close');
    await wire.relay.idle();
    expect(wire.relay.inflight()).toBe(0);
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it('closes the connection of a stream that has begun before, so that the next request goes elsewhere', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}'));
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('part'));
    await client.until('part');
    wire.relay.drain();
    upstream.write(chunk('rest') + LAST_CHUNK);
    const got = parts(await client.untilClosed());
    expect(got.headers).not.toContain('connection: close');
    expect(dechunk(got.body)).toEqual({ text: 'partrest', complete: true });
  });

  it('close ends what is left: a cut for a stream, 503 for what has no answer yet', async () => {
    const streaming = await wire.client();
    streaming.write(post('{"n":1}'));
    (await wire.upstream.request()).write(SSE_HEAD + chunk('part'));
    await streaming.until('part');
    const waiting = await wire.client();
    waiting.write(post('{"n":2}'));
    await wire.upstream.request();
    await wire.relay.close();
    expect(dechunk(parts(await streaming.untilClosed()).body)).toEqual({ text: 'part', complete: false });
    expect(parts(await waiting.until('"request_id"')).start).toBe('HTTP/1.1 503 Service Unavailable');
    const outcomes = wire.recorder.recordings.map(({ endRecord }) => endRecord?.outcome);
    expect(outcomes).toEqual(['interrupted', 'error']);
  });
});

describe('the limit of body bytes in progress', () => {
  it('refuses what does not fit with 503 and takes it again when there is room', async () => {
    await restart({ relay: { maxInflightBytes: 10 } });
    const first = await wire.client();
    first.write(post('0123456'));
    const upstream = await wire.upstream.request();
    const second = await wire.client();
    second.write(post('0123'));
    const text = await second.until('"request_id"');
    second.take();
    expect(parts(text).start).toBe('HTTP/1.1 503 Service Unavailable');
    expect(parts(text).headers).toContain('retry-after: 2');
    upstream.write(answer('200 OK', 'done'));
    await first.until('done');
    await wire.relay.idle();
    const third = await wire.client();
    third.write(post('9876543210'));
    expect(await upstream.until('9876543210')).toContain('0123456');
    expect(wire.refusals).toEqual([503]);
  });

  it('leaves the room that is only announced to others', async () => {
    await restart({ relay: { maxInflightBytes: 10 } });
    const slow = await wire.client();
    slow.write(post('01234567').slice(0, -7));
    const held = await wire.upstream.request();
    await held.until('0');
    const quick = await wire.client();
    quick.write(post('abcdefgh'));
    const upstream = await wire.upstream.request();
    await upstream.until('abcdefgh');
    upstream.write(answer('200 OK', 'done'));
    await quick.until('done');
    slow.write('1234567');
    expect(await held.until('01234567')).toContain('content-length: 8');
  });

  it('counts chunked bodies as they come', async () => {
    await restart({ relay: { maxInflightBytes: 10 } });
    const client = await wire.client();
    client.write(
      `POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('0123456789')}`,
    );
    const upstream = await wire.upstream.request();
    await upstream.until('0123456789');
    client.write(chunk('x'));
    expect(parts(await client.until('"request_id"')).start).toBe('HTTP/1.1 503 Service Unavailable');
    await upstream.closed;
    await wire.relay.idle();
    const next = await wire.client();
    next.write(post('0123456789'));
    const [, second = await wire.upstream.request()] = wire.upstream.connections;
    expect(await second.until('0123456789')).toContain('POST /v1/messages');
  });
});

/** Answer to a POST behind a proxy with these options. */
async function failure(options: Parameters<typeof startHarness>[0]): Promise<string> {
  await restart(options);
  const client = await wire.client();
  client.write(post('{}'));
  return client.until('"request_id"');
}

/** What matters of an own error about the upstream. */
function seen(text: string): object {
  return {
    status: Number(text.slice(9, 12)),
    type: errorOf(text).error.type,
    retry: parts(text).headers.includes('x-should-retry: true'),
    detail: /127\.0\.0\.1|ECONN|ENOTFOUND|HPE_|NEXUS_|invalid\./.test(text),
  };
}

const BAD_GATEWAY = { status: 502, type: 'api_error', retry: true, detail: false };
const GATEWAY_TIMEOUT = { status: 504, type: 'timeout_error', retry: true, detail: false };

describe('failing upstreams', () => {
  it('that refuse the connection: 502', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    expect(seen(await failure({ upstreamUrl: () => `http://127.0.0.1:${port}` }))).toEqual(BAD_GATEWAY);
    expect((await wire.recorder.recording()).endRecord).toMatchObject({ outcome: 'error', status: 502 });
  });

  it('whose name does not resolve: 502', async () => {
    expect(seen(await failure({ upstreamUrl: () => 'http://name.invalid.' }))).toEqual(BAD_GATEWAY);
  });

  it('that speak no TLS where it is expected: 502', async () => {
    const pending = failure({ upstreamUrl: (port) => `https://127.0.0.1:${port}` });
    pending.catch(() => {});
    await settleUntil(() => wire.upstream.connections.length > 0);
    wire.upstream.connections[0]?.write('HTTP/1.1 200 OK\r\n\r\n').end();
    expect(seen(await pending)).toEqual(BAD_GATEWAY);
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a broken header', 'HTTP/1.1 200 OK\r\nA b\r\n\r\n'],
    ['bare LF', 'HTTP/1.1 200 OK\nA: b\n\nx'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header bomb', `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['half a head', 'HTTP/1.1 200 OK\r\nA: b'],
    ['nothing', ''],
  ])('that answer with %s and close: 502, and nothing is sent again', async (_name, bytes) => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write(bytes).end();
    expect(seen(await client.until('"request_id"'))).toEqual(BAD_GATEWAY);
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it('that are silent: 504 after the limit', async () => {
    await restart({ relay: { timeouts: { answerMs: 60 } } });
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    expect(seen(await client.until('"request_id"'))).toEqual(GATEWAY_TIMEOUT);
    await upstream.closed;
    expect((await wire.recorder.recording()).endRecord).toMatchObject({
      outcome: 'error',
      status: 504,
      errorType: 'timeout_error',
    });
  });

  it('that take no bytes: 504 after the limit', async () => {
    await restart({ relay: { timeouts: { answerMs: 60, uploadIdleMs: 10_000 } } });
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n');
    const upstream = await wire.upstream.connection();
    upstream.socket.pause();
    client.write(Buffer.alloc(30_000_000));
    expect(seen(await client.until('"request_id"'))).toEqual(GATEWAY_TIMEOUT);
  });

  it('that fall silent within an answer that is no stream cut it after the limit', async () => {
    await restart({ relay: { timeouts: { answerMs: 60 } } });
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half');
    expect(parts(await client.untilClosed()).body).toBe('{"half');
    await upstream.closed;
    expect((await wire.recorder.recording()).endRecord?.outcome).toBe('interrupted');
  });

  it('may be silent within a stream, which only the limit of the whole exchange cuts', async () => {
    await restart({ relay: { timeouts: { answerMs: 20, streamMs: 150 } } });
    const client = await wire.client();
    client.write(post('{}'));
    const began = performance.now();
    (await wire.upstream.request()).write(SSE_HEAD + chunk('one'));
    expect(dechunk(parts(await client.untilClosed()).body)).toEqual({ text: 'one', complete: false });
    expect(performance.now() - began).toBeGreaterThan(140);
    expect((await wire.recorder.recording()).endRecord?.outcome).toBe('interrupted');
  });

  it('a reused connection that dies before any byte: 502 to be retried by the client, one attempt', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}'));
    const upstream = await wire.upstream.request();
    upstream.write(answer('200 OK', 'one'));
    await client.until('one');
    client.take();
    client.write(post('{"n":2}'));
    await upstream.until('{"n":2}');
    upstream.reset();
    expect(seen(await client.until('"request_id"'))).toEqual(BAD_GATEWAY);
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it('an idle connection that the upstream has closed is not used again', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}'));
    const upstream = await wire.upstream.request();
    upstream.write(answer('200 OK', 'one')).end();
    await client.until('one');
    client.take();
    await upstream.closed;
    client.write(post('{"n":2}'));
    const second = await wire.upstream.request();
    second.write(answer('200 OK', 'two'));
    expect(parts(await client.until('two')).body).toBe('two');
  });

  it.each(['400 Bad Request', '429 Too Many Requests', '500 Internal Server Error', '529 Overloaded'])(
    'that answer %s are asked once',
    async (status) => {
      const client = await wire.client();
      client.write(post('{}'));
      const upstream = await wire.upstream.request();
      upstream.write(answer(status, '{}'));
      await client.until('\r\n\r\n{}');
      await wire.relay.idle();
      expect(wire.upstream.connections).toHaveLength(1);
      expect(upstream.text.match(/POST/g)).toHaveLength(1);
      expect((await wire.recorder.recording()).endRecord?.outcome).toBe('error');
    },
  );
});

describe('slow clients', () => {
  it('that do not finish the head: 408', async () => {
    await restart({ server: { timeouts: { headersMs: 60 } } });
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\n');
    const text = await client.untilClosed();
    expect(parts(text).start).toBe('HTTP/1.1 408 Request Timeout');
    expect(errorOf(text).error.type).toBe('timeout_error');
  });

  it('that send nothing at all: 408', async () => {
    await restart({ server: { timeouts: { headersMs: 60 } } });
    expect(await (await wire.client()).untilClosed()).toMatch(/^HTTP\/1.1 408 /);
  });

  it('that stop within the body: 408, and the upstream request is cut', async () => {
    await restart({ relay: { timeouts: { uploadIdleMs: 60, lingerMs: 20 } } });
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"half');
    const upstream = await wire.upstream.request();
    const text = await client.untilClosed();
    expect(parts(text).start).toBe('HTTP/1.1 408 Request Timeout');
    await upstream.closed;
    expect((await wire.recorder.recording()).endRecord).toMatchObject({
      outcome: 'error',
      status: 408,
      requestTruncated: true,
    });
  });

  it('that send the body too slowly as a whole: 408, and the upstream request is cut', async () => {
    await restart({ server: { timeouts: { headersMs: 60, requestMs: 120 } } });
    const client = await wire.client();
    client.write('POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
    const upstream = await wire.upstream.request();
    const drip = setInterval(() => client.write('x'), 10);
    const text = await client.until('"request_id"');
    clearInterval(drip);
    expect(parts(text).start).toBe('HTTP/1.1 408 Request Timeout');
    await upstream.closed;
    expect(await (await wire.recorder.recording()).ended).toMatchObject({ outcome: 'error', status: 408 });
  });

  it('do not limit how long an answer may take', async () => {
    await restart({ server: { timeouts: { headersMs: 40, requestMs: 40 } } });
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
    upstream.write(answer('200 OK', 'late'));
    expect(parts(await client.until('late')).start).toBe('HTTP/1.1 200 OK');
  });
});

describe('many requests at once', () => {
  it('get their own answers', async () => {
    const count = 200;
    const clients = await Promise.all(Array.from({ length: count }, () => wire.client()));
    clients.forEach((client, id) => client.write(post(`{"pad":"${'p'.repeat(id * 50)}","id":"${id}"}`)));
    const upstreams = await Promise.all(clients.map(() => wire.upstream.request()));
    await Promise.all(
      upstreams.map(async (upstream) => {
        const id = /"id":"(\d+)"/.exec(await upstream.until('"}'))?.[1] ?? '';
        upstream.write(SSE_HEAD + chunk(`start ${id}\n\n`) + chunk(`end ${id}\n\n`));
        upstream.write('0\r\n\r\n');
      }),
    );
    const answers = await Promise.all(
      clients.map(async (client) => dechunk(parts(await client.until(ENDED)).body)),
    );
    answers.forEach((got, id) => {
      expect(got).toEqual({ text: `start ${id}\n\nend ${id}\n\n`, complete: true });
    });
    await wire.relay.idle();
    for (const recording of wire.recorder.recordings) {
      const id = /"id":"(\d+)"/.exec(recording.request)?.[1];
      expect(recording.response).toBe(`start ${id}\n\nend ${id}\n\n`);
      expect(recording.endRecord?.outcome).toBe('completed');
    }
    expect(wire.upstream.connections).toHaveLength(count);
  });
});

async function settleUntil(done: () => boolean): Promise<void> {
  while (!done()) {
    await nextTurn();
  }
}
