import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { UpstreamClosedError, UpstreamRequestError } from '../errors.ts';
import { FakeHandler } from '../testing/fake-handler.ts';
import { answer, chunk, LAST_CHUNK } from '../testing/harness.ts';
import { RawUpstream } from '../testing/raw-upstream.ts';
import { UpstreamPool } from './pool.ts';
import type { UpstreamRequest } from './request-head.ts';

let upstream: RawUpstream;
let pool: UpstreamPool;
let clock: number;

beforeEach(async () => {
  upstream = await RawUpstream.start();
  clock = 1_000_000;
  pool = new UpstreamPool({
    origin: new URL(`http://127.0.0.1:${upstream.port}`),
    connectMs: 10_000,
    now: () => clock,
  });
});

afterEach(async () => {
  pool.close();
  await upstream.close();
});

const GET: UpstreamRequest = { method: 'GET', path: '/v1/models', headers: [], length: 0 };
const POST: UpstreamRequest = { method: 'POST', path: '/v1/messages', headers: ['X-A', 'b'], length: 2 };

function send(request: UpstreamRequest) {
  const handler = new FakeHandler();
  const call = pool.send(request, handler);
  return { handler, call };
}

/** One exchange that leaves its connection idle. */
async function leaveIdle(headers: readonly string[] = []) {
  const { handler } = send(GET);
  const peer = await upstream.request();
  peer.write(answer('200 OK', 'first', headers));
  expect(await handler.over).toBeUndefined();
  peer.take();
  return peer;
}

describe('requests', () => {
  it('go with the first byte of their body and not before', async () => {
    const { handler, call } = send(POST);
    const peer = await upstream.connection();
    await handler.until(() => !call.write(Buffer.from('{')) || true);
    await peer.until('{');
    expect(peer.text).toBe(
      `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:${upstream.port}\r\nconnection: keep-alive\r\nX-A: b\r\ncontent-length: 2\r\n\r\n{`,
    );
    call.write(Buffer.from('}'));
    call.end();
    await peer.until('{}');
  });

  it('whose body comes before the connection is there wait for it', async () => {
    const { handler, call } = send(POST);
    expect(call.write(Buffer.from('{'))).toBe(false);
    await handler.until(() => handler.drained > 0);
    expect(call.write(Buffer.from('}'))).toBe(true);
    expect(await (await upstream.connection()).until('{}')).toContain('content-length: 2');
  });

  it.each([
    [['one', 'two'], `${chunk('one')}${chunk('two')}${LAST_CHUNK}`],
    [[], LAST_CHUNK],
  ])('of unknown length are sent in chunks: %j', async (pieces, body) => {
    const { call } = send({ ...POST, length: undefined });
    for (const piece of pieces) call.write(Buffer.from(piece));
    call.end();
    const text = await (await upstream.connection()).until(/0\r\n\r\n$/);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(body);
    expect(text).toContain('\r\ntransfer-encoding: chunked\r\n');
  });

  it.each([
    ['GET', 0, 'connection: keep-alive', undefined],
    ['DELETE', 0, 'connection: keep-alive', undefined],
    ['POST', 0, 'connection: keep-alive', 'content-length: 0'],
    ['HEAD', 0, 'connection: close', undefined],
    ['GET', 1, 'connection: close', 'content-length: 1'],
  ])('%s with %i bytes says %s and %s', async (method, length, connection, contentLength) => {
    const { handler, call } = send({ ...POST, method, length });
    if (length > 0) {
      call.write(Buffer.from('x'));
      call.end();
    }
    const peer = await upstream.request();
    expect(peer.text).toContain(`\r\n${connection}\r\n`);
    expect(/content-length: \d+/.exec(peer.text)?.[0]).toBe(contentLength);
    peer.write(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : answer('200 OK', 'ok'));
    expect(await handler.over).toBeUndefined();
    send(GET);
    if (connection.endsWith('close')) await upstream.request();
    else await peer.until('GET /v1/models');
  });

  it.each(['a\r\nX-Evil: 1', 'a\nb', 'a\x00', 'caf\u{1F600}'])(
    'are refused with the header value %j',
    (value) => {
      expect(() => send({ ...GET, headers: ['X-Key', value] })).toThrow(UpstreamRequestError);
      expect(() => send({ ...GET, headers: [value, 'x'] })).toThrow(UpstreamRequestError);
    },
  );

  it('are held back while the upstream takes no bytes', async () => {
    const { handler, call } = send({ ...POST, length: 50_000_000 });
    const peer = await upstream.connection();
    peer.socket.pause();
    call.write(Buffer.alloc(1));
    await handler.until(() => handler.drained > 0);
    const piece = Buffer.alloc(1_000_000);
    let sent = 1;
    while (call.write(piece)) sent += piece.length;
    expect(sent).toBeLessThan(49_000_000);
    const before = handler.drained;
    peer.socket.resume();
    await handler.until(() => handler.drained > before);
  });
});

describe('connections', () => {
  it('are used again, one exchange at a time', async () => {
    const peer = await leaveIdle();
    const second = send(GET);
    const third = send(GET);
    await peer.until('GET /v1/models');
    const other = await upstream.request();
    other.write(answer('200 OK', 'third'));
    expect(await third.handler.over).toBeUndefined();
    peer.write(answer('200 OK', 'second'));
    expect(await second.handler.over).toBeUndefined();
    expect([second.handler.body, third.handler.body]).toEqual(['second', 'third']);
    expect(upstream.connections).toHaveLength(2);
  });

  it('are not used again when bytes follow the answer', async () => {
    const { handler } = send(GET);
    const peer = await upstream.request();
    peer.write(answer('200 OK', 'one') + answer('200 OK', 'poison'));
    expect(await handler.over).toBeUndefined();
    expect(handler.body).toBe('one');
    await peer.closed;
    send(GET);
    await upstream.request();
  });

  it('are closed when bytes come that nobody has asked for', async () => {
    const peer = await leaveIdle();
    peer.write(answer('200 OK', 'poison'));
    await peer.closed;
    const next = send(GET);
    (await upstream.request()).write(answer('200 OK', 'fresh'));
    await next.handler.over;
    expect(next.handler.body).toBe('fresh');
  });

  it('that answer before they were asked give up the exchange', async () => {
    const { handler } = send(POST);
    const peer = await upstream.connection();
    peer.write(answer('200 OK', 'poison'));
    expect(await handler.over).toBeInstanceOf(UpstreamClosedError);
    expect(handler.heads).toEqual([]);
    expect(upstream.connections).toHaveLength(1);
  });

  it.each([
    ['closes', ''],
    ['speaks', answer('200 OK', 'poison')],
  ])('that %s before a byte of the next request is sent is replaced', async (_name, last) => {
    const old = await leaveIdle();
    const { handler, call } = send(POST);
    old.write(last).end();
    const fresh = await upstream.connection();
    call.write(Buffer.from('{}'));
    call.end();
    await fresh.until('{}');
    fresh.write(answer('200 OK', 'fresh'));
    expect(await handler.over).toBeUndefined();
    expect(handler.body).toBe('fresh');
    expect(old.text).toBe('');
  });

  it('that die after a byte of the request was sent are the end of it: nothing is sent twice', async () => {
    const peer = await leaveIdle();
    const { handler, call } = send(POST);
    call.write(Buffer.from('{'));
    await peer.until('{');
    peer.reset();
    expect(await handler.over).toMatchObject({ code: 'ECONNRESET' });
    expect(upstream.connections).toHaveLength(1);
  });

  it.each([
    ['30 seconds', [], 30_000],
    ['what the upstream announces, less the way there', ['Keep-Alive: timeout=5'], 4000],
  ])('are closed when idle for %s', async (_name, headers, ms) => {
    const peer = await leaveIdle(headers);
    clock += ms - 1;
    pool.closeIdle();
    const { handler } = send(GET);
    await peer.until('GET');
    peer.write(answer('200 OK', 'again', headers));
    await handler.over;
    clock += ms;
    pool.closeIdle();
    expect(await peer.closed).toBe('end');
    send(GET);
    await upstream.request();
  });

  it('are not used again after an answer that came before the end of the request', async () => {
    const { handler, call } = send(POST);
    call.write(Buffer.from('{'));
    const peer = await upstream.request();
    peer.write(answer('413 Too Large', 'no'));
    expect(await handler.over).toBeUndefined();
    await peer.closed;
  });

  it('are all closed in the end', async () => {
    const idle = await leaveIdle();
    send(POST);
    send(POST).call.write(Buffer.from('{'));
    const busy = await upstream.request();
    pool.close();
    expect(await Promise.all([idle.closed, busy.closed])).toHaveLength(2);
  });
});

describe('an exchange', () => {
  it('that is given up closes its connection at once, in every phase', async () => {
    const idle = await leaveIdle();
    send(POST).call.abort();
    await idle.closed;
    const uploading = send(POST);
    uploading.call.write(Buffer.from('{'));
    const first = await upstream.request();
    uploading.call.abort();
    await first.closed;
    const answering = send(GET);
    const second = await upstream.request();
    second.write('HTTP/1.1 200 OK\r\n\r\nhalf');
    await answering.handler.until(() => answering.handler.body !== '');
    answering.call.abort();
    await second.closed;
    expect([uploading.handler.trailers, answering.handler.trailers]).toEqual([undefined, undefined]);
  });

  it('given up from within its answer hears nothing more', async () => {
    const { handler, call } = send(GET);
    const { promise, resolve } = Promise.withResolvers<void>();
    handler.answerHead = () => {
      call.abort();
      resolve();
    };
    const peer = await upstream.request();
    peer.write(answer('200 OK', 'whole'));
    await promise;
    await peer.closed;
    expect([handler.body, handler.trailers]).toEqual(['', undefined]);
  });

  it('that is paused reads no more until it is resumed, and leaves a connection that reads', async () => {
    const { handler, call } = send(GET);
    const peer = await upstream.request();
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na');
    await handler.until(() => handler.body === 'a');
    call.pause();
    peer.write('bc');
    const probe = send(GET);
    (await upstream.request()).write(answer('200 OK', 'probe'));
    await probe.handler.over;
    expect(handler.body).toBe('a');
    call.resume();
    expect(await handler.over).toBeUndefined();
    expect(handler.body).toBe('abc');
    peer.end();
    await peer.closed;
  });

  it('whose upstream closes within an answer fails, and whose answer ends there does not', async () => {
    const counted = send(GET);
    (await upstream.request()).write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na').end();
    expect(await counted.handler.over).toBeInstanceOf(UpstreamClosedError);
    const open = send(GET);
    (await upstream.request()).write('HTTP/1.1 200 OK\r\n\r\nall').end();
    expect(await open.handler.over).toBeUndefined();
    expect([counted.handler.body, open.handler.body]).toEqual(['a', 'all']);
    const reset = send(GET);
    const peer = await upstream.request();
    peer.write('HTTP/1.1 200 OK\r\n\r\npart');
    await reset.handler.until(() => reset.handler.body !== '');
    peer.reset();
    expect(await reset.handler.over).toMatchObject({ code: 'ECONNRESET' });
  });
});
