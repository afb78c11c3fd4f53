import { afterEach, describe, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import { answer, parts, post, startHarness } from './testing/harness.ts';
import type { RawPeer } from './testing/raw-peer.ts';

const GRACE_MS = 5000;
const LIMIT = 10_000_000;
const clock = { now: 1_800_000_000_000 };
let wire: Harness;

afterEach(async () => {
  await wire.close();
});

async function start(): Promise<void> {
  wire = await startHarness({
    relay: { maxInflightBytes: LIMIT, now: () => clock.now, timeouts: { uploadGraceMs: GRACE_MS } },
  });
}

/** A client that has sent so much of a body, all but the last ten bytes. */
async function sender(bytes: number): Promise<{ client: RawPeer; upstream: RawPeer }> {
  const client = await wire.client();
  client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes + 10}\r\n\r\n`);
  client.write(Buffer.alloc(bytes, 'u'));
  const upstream = await wire.upstream.request();
  await upstream.untilLength(bytes + 1);
  return { client, upstream };
}

describe('when there is no room for another body', () => {
  it('an upload that has stalled is ended with 408, and the other is served', async () => {
    await start();
    const stalled = await sender(LIMIT - 10);
    clock.now += GRACE_MS + 1;
    const other = await wire.client();
    other.write(post('x'.repeat(1000)));
    const text = await stalled.client.until('"request_id"');
    expect(parts(text).start).toBe('HTTP/1.1 408 Request Timeout');
    await stalled.upstream.closed;
    const upstream = await wire.upstream.request();
    await upstream.until('x'.repeat(1000));
    upstream.write(answer('200 OK', 'done'));
    await other.until('done');
    expect(await (await wire.recorder.recording()).ended).toMatchObject({ outcome: 'error', status: 408 });
    expect(wire.refusals).toEqual([]);
  });

  it('the one furthest behind goes first, and no more than needed', async () => {
    await start();
    const longest = await sender(6_000_000);
    clock.now += 1000;
    const shorter = await sender(3_900_000);
    clock.now += GRACE_MS + 1;
    const other = await wire.client();
    other.write(post('x'.repeat(1_000_000)));
    expect(await longest.client.until('"request_id"')).toContain('HTTP/1.1 408');
    await (await wire.upstream.request()).until('x'.repeat(1000));
    expect(shorter.client.text).toBe('');
  });

  it('an upload that pauses for less than the grace keeps its room', async () => {
    await start();
    const pausing = await sender(LIMIT - 10);
    clock.now += GRACE_MS;
    const other = await wire.client();
    other.write(post('x'.repeat(1000)));
    expect(parts(await other.until('"request_id"')).start).toBe('HTTP/1.1 503 Service Unavailable');
    pausing.client.write('0123456789');
    await pausing.upstream.until('0123456789');
  });

  it('a whole body that waits for its answer keeps its room, however long', async () => {
    await start();
    const waiting = await wire.client();
    waiting.write(post('w'.repeat(LIMIT - 10)));
    const upstream = await wire.upstream.request();
    await upstream.untilLength(LIMIT);
    clock.now += 10 * GRACE_MS;
    const other = await wire.client();
    other.write(post('x'.repeat(1000)));
    expect(parts(await other.until('"request_id"')).start).toBe('HTTP/1.1 503 Service Unavailable');
    upstream.write(answer('200 OK', 'done'));
    await waiting.until('done');
  });

  it('an upload that the upstream does not take is not ended for its client', async () => {
    await start();
    const client = await wire.client();
    client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${LIMIT}\r\n\r\n`);
    const upstream = await wire.upstream.connection();
    upstream.socket.pause();
    client.write(Buffer.alloc(LIMIT, 'u'));
    const recording = await wire.recorder.recording();
    // Steady once nothing more is taken from the client.
    let seen = -1;
    await expect
      .poll(
        () => {
          const still = recording.requestChunks.length === seen;
          seen = recording.requestChunks.length;
          return still && seen > 0;
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(true);
    clock.now += 10 * GRACE_MS;
    const other = await wire.client();
    other.write(post('x'.repeat(LIMIT)));
    expect(parts(await other.until('"request_id"')).start).toBe('HTTP/1.1 503 Service Unavailable');
    expect(recording.endRecord).toBeUndefined();
  });
});
