import { afterEach, beforeEach, expect, it } from 'vitest';

import type { Harness } from './testing/harness.ts';
import { answer, startHarness } from './testing/harness.ts';

const BYTES = 4_000_000;
let wire: Harness;

beforeEach(async () => {
  wire = await startHarness();
});
afterEach(async () => {
  await wire.close();
});

it('a body is read no further while its recorder is behind, and then to its end, byte for byte', async () => {
  const release = wire.recorder.holdBodies();
  const client = await wire.client();
  const body = Buffer.alloc(BYTES, '0123456789');
  client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${BYTES}\r\n\r\n`);
  client.write(body);
  const upstream = await wire.upstream.request();
  const recording = await wire.recorder.recording();
  // Whatever else could come has come once another request has passed.
  const other = await wire.client();
  other.write('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n');
  const second = await wire.upstream.request();
  second.write(answer('200 OK', 'models'));
  await other.until('models');
  expect(recording.requestChunks).toHaveLength(1);
  release();
  await upstream.until(/9$/);
  await expect.poll(() => recording.requestEnded).toBe(true);
  expect(recording.request === body.toString('latin1')).toBe(true);
  upstream.write(answer('200 OK', 'done'));
  await client.until('done');
});

it('a client that leaves while its body is held back is noticed', async () => {
  const release = wire.recorder.holdBodies();
  const client = await wire.client();
  client.write(`POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${BYTES}\r\n\r\n`);
  client.write(Buffer.alloc(100_000));
  const upstream = await wire.upstream.request();
  client.destroy();
  release();
  expect(await (await wire.recorder.recording()).ended).toMatchObject({ outcome: 'aborted' });
  await upstream.closed;
});
