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

/** A stream that has begun: its head has reached the client. */
async function startStream() {
  const client = await wire.client();
  client.write(post('{"stream":true}'));
  const upstream = await wire.upstream.request();
  upstream.write(SSE_HEAD);
  await client.until('\r\n\r\n');
  return { client, upstream };
}

describe('event streams', () => {
  it('pass event n on before the upstream sends event n+1', async () => {
    const { client, upstream } = await startStream();
    for (let n = 0; n < 20; n++) {
      upstream.write(chunk(`event: ping\ndata: {"n":${n}}\n\n`));
      await client.until(`{"n":${n}}\n\n`);
    }
    upstream.write(LAST_CHUNK);
    await client.until(ENDED);
    expect((await wire.recorder.recording()).endRecord).toMatchObject({ outcome: 'completed', status: 200 });
  });

  it('keep pings, comments, CRLF, unknown events, byte order marks and broken UTF-8', async () => {
    const pieces = [
      '\xef\xbb\xbf: comment\n\n',
      'event: ping\r\ndata: {}\r\n\r\n',
      'event: made_up\ndata: \xff\xfe\n\n',
      'retry: 10\nid\n\ndata\r\r',
      'event: content_block_delta\ndata: {"half',
      'a":1}\n\n',
    ];
    const { client, upstream } = await startStream();
    for (const piece of pieces) upstream.write(chunk(piece));
    upstream.write(LAST_CHUNK);
    const got = dechunk(parts(await client.until(ENDED)).body);
    expect(got).toEqual({ text: pieces.join(''), complete: true });
    expect((await wire.recorder.recording()).response).toBe(pieces.join(''));
  });

  it('pass pieces on that end within an event, and compressed ones', async () => {
    const { client, upstream } = await startStream();
    for (const piece of ['\x1f\x8b\x08', '\x00\x01', 'event: mess', 'age_st']) {
      upstream.write(chunk(piece));
      expect(await client.until(piece)).toContain(piece);
    }
  });

  it('pass a head on before the first byte of the body', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    expect(parts(await client.until('\r\n\r\n')).body).toBe('');
    upstream.write('hello');
    await client.until('hello');
  });
});

describe('the end of an answer', () => {
  it('of counted length keeps its last byte until the end is recorded', async () => {
    const release = wire.recorder.holdEnds();
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    upstream.write(answer('200 OK', '{"a":1}'));
    await client.until('{"a":1');
    const recording = await wire.recorder.recording();
    expect(await recording.ended).toMatchObject({ outcome: 'completed', status: 200 });
    expect(recording.response).toBe('{"a":1}');
    await settle();
    expect(parts(client.text).body).toBe('{"a":1');
    expect(wire.relay.inflight()).toBe(1);
    release();
    expect(parts(await client.until('{"a":1}')).body).toBe('{"a":1}');
    await wire.relay.idle();
  });

  it('of one byte keeps that byte', async () => {
    const release = wire.recorder.holdEnds();
    const client = await wire.client();
    client.write(post('{}'));
    (await wire.upstream.request()).write(answer('200 OK', '!'));
    expect(parts(await client.until('\r\n\r\n')).body).toBe('');
    release();
    await client.until('!');
  });

  it('in chunks keeps the terminating chunk', async () => {
    const release = wire.recorder.holdEnds();
    const { client, upstream } = await startStream();
    upstream.write(chunk('all') + LAST_CHUNK);
    await client.until('all');
    await (
      await wire.recorder.recording()
    ).ended;
    await settle();
    expect(dechunk(parts(client.text).body)).toEqual({ text: 'all', complete: false });
    release();
    expect(dechunk(parts(await client.until(ENDED)).body)).toEqual({ text: 'all', complete: true });
  });

  it('without a body keeps the head', async () => {
    const release = wire.recorder.holdEnds();
    const client = await wire.client();
    client.write('HEAD /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
    (await wire.upstream.request()).write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    await (
      await wire.recorder.recording()
    ).ended;
    await settle();
    expect(client.text).toBe('');
    release();
    await client.until('Content-Length: 5');
  });

  it('is harmless when the client leaves while it is held', async () => {
    const release = wire.recorder.holdEnds();
    const { client, upstream } = await startStream();
    upstream.write(chunk('all') + LAST_CHUNK);
    const recording = await wire.recorder.recording();
    expect((await recording.ended).outcome).toBe('completed');
    client.reset();
    release();
    await wire.relay.idle();
    expect(recording.endRecord?.outcome).toBe('completed');
  });
});

describe('backpressure', () => {
  const PIECE = Buffer.alloc(64 * 1024, 'x');
  const LENGTH = 30 * 1024 * 1024;

  it('reaches the upstream when the client does not read', async () => {
    const client = await wire.client();
    client.write(post('{}'));
    const upstream = await wire.upstream.request();
    client.socket.pause();
    upstream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\n\r\n`);
    const sent = await writeUntilBlocked(upstream.socket, PIECE, LENGTH);
    expect(sent).toBeLessThan(LENGTH);
    const recording = await wire.recorder.recording();
    const held = recording.responseChunks.reduce((sum, piece) => sum + piece.length, 0) - client.length;
    expect(held).toBeLessThan(LENGTH / 2);
    client.socket.resume();
    await writeAll(upstream.socket, PIECE, LENGTH - sent);
    await client.untilLength(LENGTH);
    expect((await recording.ended).outcome).toBe('completed');
  });

  it('reaches the client when the upstream does not read', async () => {
    const client = await wire.client();
    client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n`);
    const upstream = await wire.upstream.connection();
    upstream.socket.pause();
    const sent = await writeUntilBlocked(client.socket, PIECE, LENGTH);
    expect(sent).toBeLessThan(LENGTH);
    upstream.socket.resume();
    await writeAll(client.socket, PIECE, LENGTH - sent);
    await upstream.untilLength(LENGTH);
    upstream.write(answer('200 OK', 'done'));
    await client.until('done');
    expect((await wire.recorder.recording()).requestEnded).toBe(true);
  });
});

/** Gives everything that is already on its way time to arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await nextTurn();
  }
}

interface Writable {
  write(chunk: Buffer, done: () => void): boolean;
  readonly writableLength: number;
}

/** Writes until nothing moves any more, and returns how many bytes were taken into the socket. */
async function writeUntilBlocked(socket: Writable, piece: Buffer, limit: number): Promise<number> {
  let sent = 0;
  while (sent < limit) {
    const written = new Promise<boolean>((resolve) => {
      socket.write(piece.subarray(0, Math.min(piece.length, limit - sent)), () => resolve(true));
    });
    sent += Math.min(piece.length, limit - sent);
    const blocked = new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(false), 150).unref();
    });
    if (!(await Promise.race([written, blocked]))) return sent;
  }
  return sent;
}

async function writeAll(socket: Writable, piece: Buffer, length: number): Promise<void> {
  for (let sent = 0; sent < length; sent += piece.length) {
    await new Promise<void>((resolve) => {
      socket.write(piece.subarray(0, Math.min(piece.length, length - sent)), resolve);
    });
  }
}
