import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import { answer, chunk, dechunk, parts, post, SSE_HEAD, startHarness, ENDED } from './testing/harness.ts';
import type { RawPeer } from './testing/raw-peer.ts';

let wire: Harness;

beforeEach(async () => {
  wire = await startHarness();
});

afterEach(async () => {
  await wire.close();
});

const UPLOAD_HEAD = 'POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';
const CHUNKED_HEAD = 'POST /v1/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Brings an exchange into a phase; both ends are returned. */
const phases: Record<string, () => Promise<{ client: RawPeer; upstream: RawPeer }>> = {
  async 'during the upload'() {
    const client = await wire.client();
    client.write(`${UPLOAD_HEAD}{"partial`);
    const upstream = await wire.upstream.request();
    await upstream.until('{"partial');
    return { client, upstream };
  },
  async 'during a chunked upload'() {
    const client = await wire.client();
    client.write(CHUNKED_HEAD + chunk('{"partial'));
    const upstream = await wire.upstream.request();
    await upstream.until('{"partial');
    return { client, upstream };
  },
  async 'before the head of the answer'() {
    const client = await wire.client();
    client.write(post('{"whole":1}'));
    const upstream = await wire.upstream.request();
    await upstream.until('{"whole":1}');
    return { client, upstream };
  },
  async 'before the first byte of a stream'() {
    const client = await wire.client();
    client.write(post('{"whole":1}'));
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD);
    await client.until('\r\n\r\n');
    return { client, upstream };
  },
  async 'in the middle of a stream'() {
    const client = await wire.client();
    client.write(post('{"whole":1}'));
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('event: message_start\n\n'));
    await client.until('message_start');
    return { client, upstream };
  },
  async 'in the middle of a counted answer'() {
    const client = await wire.client();
    client.write(post('{"whole":1}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"part');
    await client.until('{"part');
    return { client, upstream };
  },
  async 'in the middle of an answer of unknown length'() {
    const client = await wire.client();
    client.write(post('{"whole":1}'));
    const upstream = await wire.upstream.request();
    upstream.write('HTTP/1.1 200 OK\r\n\r\n{"part');
    await client.until('{"part');
    return { client, upstream };
  },
};

const early = new Set(['during the upload', 'during a chunked upload', 'before the head of the answer']);
const uploading = new Set(['during the upload', 'during a chunked upload']);
const partial: Record<string, string> = {
  'in the middle of a stream': 'event: message_start\n\n',
  'in the middle of a counted answer': '{"part',
  'in the middle of an answer of unknown length': '{"part',
};

describe('a client that leaves', () => {
  const cases = Object.keys(phases).flatMap((phase) => [
    [phase, 'reset'] as const,
    [phase, 'end'] as const,
    [phase, 'destroy'] as const,
  ]);

  it.each(cases)('%s (%s) aborts the upstream at once and is recorded', async (phase, how) => {
    const { client, upstream } = (await phases[phase]?.()) ?? fail(phase);
    const recording = await wire.recorder.recording();
    const left = performance.now();
    client[how]();
    await upstream.closed;
    expect(performance.now() - left).toBeLessThan(500);
    const end = await recording.ended;
    expect(end.outcome).toBe('aborted');
    expect(end.requestTruncated ?? false).toBe(uploading.has(phase));
    expect(recording.request).toBe(uploading.has(phase) ? '{"partial' : '{"whole":1}');
    expect(recording.response).toBe(partial[phase] ?? '');
    expect(end.status).toBe(early.has(phase) ? undefined : 200);
    await wire.relay.idle();
    expect(wire.summaries.map(({ outcome }) => outcome)).toEqual(['aborted']);
    expect(wire.upstream.connections).toHaveLength(1);
  });

  it.each([
    ['with', post('{"whole":1}')],
    ['without', 'GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])(
    'before the connection to the upstream is there is not waited for, %s a body',
    async (_body, request) => {
      const client = await wire.client();
      client.write(request);
      const recording = await wire.recorder.recording();
      client.reset();
      expect((await recording.ended).outcome).toBe('aborted');
      const upstream = await wire.upstream.connection();
      await upstream.closed;
      expect(wire.upstream.connections).toHaveLength(1);
    },
  );

  it('with a second request waiting on the same connection aborts both', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}') + post('{"n":2}'));
    const first = await wire.upstream.request();
    const second = await wire.upstream.request();
    client.reset();
    await Promise.all([first.closed, second.closed]);
    const ends = await Promise.all(wire.recorder.recordings.map((recording) => recording.ended));
    expect(ends.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
  });
});

describe('an upstream that breaks off', () => {
  const late = Object.keys(phases).filter((phase) => !early.has(phase));

  it.each(late.flatMap((phase) => [[phase, 'reset'] as const, [phase, 'end'] as const]))(
    '%s (%s) is a cut for the client and is recorded as interrupted',
    async (phase, how) => {
      const { client, upstream } = (await phases[phase]?.()) ?? fail(phase);
      // The end of the connection is the end of an answer of unknown length.
      const whole = how === 'end' && phase.endsWith('unknown length');
      upstream[how]();
      const got = parts(await client.untilClosedOr(whole));
      const recording = await wire.recorder.recording();
      const end = await recording.ended;
      expect(end).toMatchObject({ outcome: whole ? 'completed' : 'interrupted', status: 200 });
      expect(recording.response).toBe(partial[phase] ?? '');
      const counted = phase.endsWith('counted answer');
      const received = counted ? { text: got.body, complete: false } : dechunk(got.body);
      expect(received).toEqual({ text: partial[phase] ?? '', complete: whole });
      expect(wire.upstream.connections).toHaveLength(1);
    },
  );

  it.each(Object.keys(phases).filter((phase) => early.has(phase)))(
    '%s is a 502 with x-should-retry, and nothing is sent again',
    async (phase) => {
      const { client, upstream } = (await phases[phase]?.()) ?? fail(phase);
      upstream.reset();
      const got = parts(await client.until('"request_id"'));
      expect(got.start).toBe('HTTP/1.1 502 Bad Gateway');
      expect(got.headers).toContain('x-should-retry: true');
      const recording = await wire.recorder.recording();
      expect(await recording.ended).toMatchObject({ outcome: 'error', status: 502, errorType: 'api_error' });
      expect(JSON.parse(got.body)).toEqual({
        type: 'error',
        error: { type: 'api_error', message: 'The upstream closed the connection before it answered.' },
        request_id: recording.id,
      });
      expect(wire.upstream.connections).toHaveLength(1);
    },
  );

  it('reaches a client of HTTP/1.0 as a reset, for the end of the connection is a clean end to it', async () => {
    const client = await wire.client();
    client.write('GET /v1/models HTTP/1.0\r\nHost: a\r\n\r\n');
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('part'));
    await client.until('part');
    upstream.reset();
    expect(await client.closed).toBe('reset');
  });

  it('passes on what came before the break in the same packet', async () => {
    const { client, upstream } = (await phases['before the first byte of a stream']?.()) ?? fail();
    upstream.write(`${chunk('last words')}not-a-chunk\r\n`);
    expect(dechunk(parts(await client.untilClosed()).body)).toEqual({ text: 'last words', complete: false });
    expect((await wire.recorder.recording()).response).toBe('last words');
  });
});

describe('an answer that waits for that of an earlier request on the connection', () => {
  it('and breaks off is cut where its turn comes', async () => {
    const client = await wire.client();
    client.write(post('{"n":1}') + post('{"n":2}'));
    const peers = [await wire.upstream.request(), await wire.upstream.request()];
    const texts = await Promise.all(peers.map((peer) => peer.until('}')));
    const first = texts.findIndex((text) => text.includes('"n":1'));
    peers[1 - first]?.write(SSE_HEAD + chunk('half')).reset();
    const second = await wire.recorder.recording(1);
    expect((await second.ended).outcome).toBe('interrupted');
    peers[first]?.write(answer('200 OK', 'first'));
    const text = await client.untilClosed();
    expect(parts(text).body).toMatch(/^firstHTTP\/1.1 200 OK\r\n/);
    expect(text).not.toMatch(ENDED);
    expect((await (await wire.recorder.recording(0)).ended).outcome).toBe('completed');
  });
});

describe('an answer that comes before the upload is complete', () => {
  it('is passed on at once while the upload goes on', async () => {
    const client = await wire.client();
    client.write(`${UPLOAD_HEAD}0123456789`);
    const upstream = await wire.upstream.request();
    upstream.write(SSE_HEAD + chunk('early'));
    await client.until('early');
    client.write('x'.repeat(990));
    await upstream.until('x'.repeat(990));
    upstream.write('0\r\n\r\n');
    await client.until(ENDED);
    const end = await (await wire.recorder.recording()).ended;
    expect(end).toEqual(expect.objectContaining({ outcome: 'completed', status: 200 }));
    expect(end.requestTruncated).toBeUndefined();
  });

  it.each(['keeps reading', 'closes its connection'])('is complete when the upstream %s', async (then) => {
    const client = await wire.client();
    client.write(`${UPLOAD_HEAD}0123456789`);
    const upstream = await wire.upstream.request();
    await upstream.until('0123456789');
    upstream.write(answer('413 Payload Too Large', '{"type":"error"}'));
    if (then === 'closes its connection') upstream.end();
    const got = parts(await client.until('"error"}'));
    expect(got.start).toBe('HTTP/1.1 413 Payload Too Large');
    expect(await (await wire.recorder.recording()).ended).toMatchObject({
      outcome: 'error',
      status: 413,
      requestTruncated: true,
    });
    await upstream.closed;
    // The rest of the upload is swallowed, and the connection serves the next request.
    client.take();
    client.write('y'.repeat(990) + post('{"next":1}'));
    const next = await wire.upstream.request();
    await next.until('{"next":1}');
    next.write(answer('200 OK', 'next'));
    expect(parts(await client.until('next')).body).toBe('next');
  });

  it('closes the connection of a client that goes on sending for too long', async () => {
    await wire.close();
    wire = await startHarness({ relay: { timeouts: { lingerMs: 20 } } });
    const client = await wire.client();
    client.write(`${UPLOAD_HEAD}0123456789`);
    (await wire.upstream.request()).write(answer('401 Unauthorized', '{}'));
    expect(parts(await client.untilClosed()).body).toBe('{}');
  });
});

function fail(phase = ''): never {
  throw new Error(`no such phase: ${phase}`);
}
