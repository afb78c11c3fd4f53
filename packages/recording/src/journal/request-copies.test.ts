import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { listSegments } from './segment-files.ts';
import { createFailingFs } from './testing/failing-fs.ts';
import {
  beginMeta,
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';
import type { TestWriter } from './testing/spool.ts';
import type { JournalExchange, JournalReader } from './types.ts';

const SEGMENT = 4 * 1024 * 1024;
const CHUNK = 64 * 1024;

/** Bytes that differ everywhere, and with the seed. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

const HISTORY = noise(200_000, 1);
const TOOLS = noise(64_000, 2);
const LAST = noise(2000, 3);
const FIRST_TURN = Buffer.concat([HISTORY, LAST, TOOLS]);
const SECOND_TURN = Buffer.concat([HISTORY, noise(3000, 4), TOOLS]);

function chunksOf(body: Buffer, bytes = CHUNK): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += bytes) chunks.push(body.subarray(at, at + bytes));
  return chunks;
}

const headersOf = (body: Buffer, session = 's') => [
  'Content-Length',
  String(body.length),
  'X-Claude-Code-Session-Id',
  session,
];

/** One exchange of the session; resolves when it is in the journal. */
const record = (test: TestWriter, body: Buffer, session?: string): Promise<string> =>
  recordExchange(test.writer, { request: chunksOf(body), begin: { headers: headersOf(body, session) } });

const bytesOnDisk = (spoolDir: string) => listSegments(spoolDir).reduce((sum, { size }) => sum + size, 0);

async function readOne(reader: JournalReader, id: string): Promise<JournalExchange> {
  const found = (await readEverything(reader)).find((exchange) => exchange.id === id);
  if (found === undefined) throw new Error(`${id} was not read`);
  return found;
}

const NEXT_BODIES: readonly [title: string, body: Buffer, most: number][] = [
  ['is the same', FIRST_TURN, 1000],
  ['has another last message', SECOND_TURN, 5000],
  ['goes on behind the end', Buffer.concat([FIRST_TURN, noise(5000, 5)]), 7000],
  ['ends earlier', HISTORY, 1000],
  ['begins otherwise', Buffer.concat([noise(5000, 6), FIRST_TURN]), FIRST_TURN.length + 8000],
  ['begins otherwise after a little', Buffer.concat([HISTORY.subarray(0, 99), noise(150_000, 7)]), 152_000],
  ['repeats itself', Buffer.concat([HISTORY, TOOLS, TOOLS]), 66_000 + TOOLS.length],
];

describe('the next request body of a session', () => {
  it.each(NEXT_BODIES)('that %s is read exactly, and only what is new is written', (_, body, most) =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      await record(test, FIRST_TURN);
      const before = bytesOnDisk(spoolDir);
      const id = await record(test, body);
      expect(bytesOnDisk(spoolDir) - before).toBeLessThan(most);
      const reader = openTestReader(spoolDir, { writer: test });
      const exchange = await readOne(reader, id);
      expect(exchange).toMatchObject({ damaged: false, requestComplete: true, requestLength: body.length });
      expect(exchange.requestBody().equals(body)).toBe(true);
      reader.close();
      await test.writer.close();
    }),
  );

  it.each([
    ['of another session', headersOf(SECOND_TURN, 'other')],
    ['without a session', ['Content-Length', String(SECOND_TURN.length)]],
    ['of unknown length', ['X-Claude-Code-Session-Id', 's']],
  ])('%s is written in full', (_, headers) =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      await record(test, FIRST_TURN);
      const before = bytesOnDisk(spoolDir);
      await recordExchange(test.writer, { request: chunksOf(SECOND_TURN), begin: { headers } });
      expect(bytesOnDisk(spoolDir) - before).toBeGreaterThan(SECOND_TURN.length);
      await test.writer.close();
    }),
  );

  it.each([
    ['as long as the first prompt of a session is compared', 60_000, 1000],
    ['of a short question is written in full', 20_000, 21_000],
  ])('%s', (_, length, most) =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      const body = noise(length, 9);
      await record(test, body);
      const before = bytesOnDisk(spoolDir);
      await record(test, body);
      const written = bytesOnDisk(spoolDir) - before;
      expect(written).toBeLessThan(most);
      expect(written).toBeGreaterThan(most - 1000);
      await test.writer.close();
    }),
  );

  it('is written in full again after one that was largely new', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      const grown = Buffer.concat([HISTORY, noise(100_000, 8), TOOLS]);
      await record(test, FIRST_TURN);
      await record(test, grown);
      const before = bytesOnDisk(spoolDir);
      await record(test, grown);
      expect(bytesOnDisk(spoolDir) - before).toBeGreaterThan(grown.length);
      const after = bytesOnDisk(spoolDir);
      await record(test, grown);
      expect(bytesOnDisk(spoolDir) - after).toBeLessThan(1000);
      await test.writer.close();
    }));

  it('is written in full in the next segment, and the bodies of the last one are forgotten', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: 400_000 });
      const ids: string[] = [];
      for (const session of ['a', 'b', 'c', 'c']) ids.push(await record(test, FIRST_TURN, session));
      expect(listSegments(spoolDir)).toHaveLength(3);
      expect(test.writer.earlierBodies.bytes).toBe(FIRST_TURN.length);
      const reader = openTestReader(spoolDir, { writer: test });
      for (const exchange of await readEverything(reader)) {
        expect(exchange.requestBody().equals(FIRST_TURN)).toBe(true);
        reader.ack(exchange.id);
      }
      await test.writer.close();
      await readEverything(reader);
      expect(listSegments(spoolDir)).toEqual([]);
      reader.close();
    }));

  it('is written in full where there was no room to keep the one before', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT, maxEarlierBytes: 400_000 });
      for (const session of ['a', 'b']) await record(test, FIRST_TURN, session);
      expect(test.writer.earlierBodies.bytes).toBe(FIRST_TURN.length);
      const before = bytesOnDisk(spoolDir);
      await record(test, SECOND_TURN, 'b');
      const after = bytesOnDisk(spoolDir);
      expect(after - before).toBeLessThan(5000);
      await record(test, SECOND_TURN, 'a');
      expect(bytesOnDisk(spoolDir) - after).toBeGreaterThan(SECOND_TURN.length);
      await test.writer.close();
    }));

  it('may arrive so slowly that it is written in many parts', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      await record(test, FIRST_TURN);
      const before = bytesOnDisk(spoolDir);
      const recording = test.writer.begin(beginMeta({ headers: headersOf(SECOND_TURN) }));
      for (const chunk of chunksOf(SECOND_TURN, 30_000)) {
        recording.requestChunk(chunk);
        test.writer.flush();
      }
      recording.requestEnd();
      await recording.end({ outcome: 'completed', endedAt: 1 });
      expect(bytesOnDisk(spoolDir) - before).toBeLessThan(100_000);
      const reader = openTestReader(spoolDir, { writer: test });
      const exchange = await readOne(reader, recording.id);
      expect(exchange.requestBody().equals(SECOND_TURN)).toBe(true);
      reader.close();
      await test.writer.close();
    }));

  it('that is cut off holds what had arrived', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      await record(test, FIRST_TURN);
      const recording = test.writer.begin(beginMeta({ headers: headersOf(SECOND_TURN) }));
      recording.requestChunk(SECOND_TURN.subarray(0, 201_000));
      await recording.end({ outcome: 'aborted', endedAt: 1 });
      const reader = openTestReader(spoolDir, { writer: test });
      const exchange = await readOne(reader, recording.id);
      expect(exchange).toMatchObject({ damaged: false, requestComplete: false });
      expect(exchange.requestBody().equals(SECOND_TURN.subarray(0, 201_000))).toBe(true);
      reader.close();
      await test.writer.close();
    }));
});

/** Two turns, of which the first was acknowledged by a reader that is gone. */
async function secondTurnLeft(spoolDir: string): Promise<{ id: string; path: string; from: number }> {
  const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
  const first = await record(test, FIRST_TURN);
  const from = test.control.position().offset;
  const id = await record(test, SECOND_TURN);
  await test.writer.close();
  const reader = openTestReader(spoolDir);
  await readEverything(reader);
  reader.ack(first);
  reader.close();
  return { id, path: join(spoolDir, listSegments(spoolDir)[0]?.name ?? ''), from };
}

describe('what a body refers to', () => {
  it('is found by a reader that begins behind it', () =>
    withSpool(async (spoolDir) => {
      const { id } = await secondTurnLeft(spoolDir);
      const reader = openTestReader(spoolDir);
      const read = await readEverything(reader);
      expect(read.map((exchange) => exchange.id)).toEqual([id]);
      expect(read[0]?.requestBody().equals(SECOND_TURN)).toBe(true);
      reader.ack(id);
      expect(listSegments(spoolDir)).toEqual([]);
      reader.close();
    }));

  it.each(['acknowledged', 'unread'])('when it was %s is missed if a byte of it is flipped', (state) =>
    withSpool(async (spoolDir) => {
      const { id, path, from } = await secondTurnLeft(spoolDir);
      if (state === 'unread') writeFileSync(join(spoolDir, 'acknowledged.json'), '{}');
      const bytes = readFileSync(path);
      for (let at = 1000; at < from; at += 37_777) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        writeFileSync(path, flipped);
        const reader = openTestReader(spoolDir);
        const exchange = await readOne(reader, id);
        const isRight = exchange.requestBody().equals(SECOND_TURN);
        // The last message of the first turn is of no use to the second.
        expect(exchange.damaged || isRight, `flipped at ${at}`).toBe(true);
      }
    }),
  );

  it('is kept when a segment is rewritten, with a reader going on and with the next', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: 2_000_000 });
      const reader = openTestReader(spoolDir, { writer: test });
      await record(test, FIRST_TURN);
      const open = test.writer.begin(beginMeta({ headers: headersOf(SECOND_TURN) }));
      for (const chunk of chunksOf(SECOND_TURN)) open.requestChunk(chunk);
      open.requestEnd();
      for (let index = 0; index < 40; index++) {
        // An answer that goes on keeps bytes of every segment.
        open.responseChunk(Buffer.alloc(100, index), beginMeta().startedAt);
        test.writer.flush();
        await recordExchange(test.writer, { request: [noise(200_000, 20 + index)] });
        for (const { id } of await readEverything(reader)) reader.ack(id);
      }
      expect(listSegments(spoolDir)[0]?.generation).toBe(1);
      expect(reader.openExchanges()[0]?.requestBody().equals(SECOND_TURN)).toBe(true);
      await open.end({ outcome: 'completed', endedAt: 1 });
      reader.close();
      await test.writer.close();
      const next = openTestReader(spoolDir);
      const exchange = await readOne(next, open.id);
      expect(exchange.damaged).toBe(false);
      expect(exchange.requestBody().equals(SECOND_TURN)).toBe(true);
      next.close();
    }));

  it('goes to quarantine with the body', () =>
    withSpool(async (spoolDir) => {
      const { id } = await secondTurnLeft(spoolDir);
      const reader = openTestReader(spoolDir);
      await readEverything(reader);
      reader.quarantine(id, { reason: 'refused' });
      reader.close();
      const folder = join(spoolDir, 'quarantine');
      const name = readdirSync(folder).find((file) => file.endsWith('.records')) ?? '';
      const kept = readFileSync(join(folder, name));
      for (const slice of chunksOf(HISTORY)) expect(kept.includes(slice)).toBe(true);
      expect(kept.includes(SECOND_TURN.subarray(HISTORY.length, HISTORY.length + 3000))).toBe(true);
    }));

  it('keeps its segment open until the bodies that refer to it are written', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { segmentBytes: 600_000, fs });
      const begun = [record(test, FIRST_TURN)];
      await begun[0];
      fs.stalled = true;
      begun.push(recordExchange(test.writer));
      await expect.poll(() => fs.writesInFlight).toBe(1);
      begun.push(recordExchange(test.writer, { request: [noise(400_000, 9)] }), record(test, SECOND_TURN));
      fs.release();
      const ids = await Promise.all(begun);
      expect(Object.values(test.writer.lostCounts).every((count) => count === 0)).toBe(true);
      const reader = openTestReader(spoolDir, { writer: test });
      const read = await readEverything(reader);
      expect(read.map(({ id }) => id)).toEqual(ids);
      expect(
        read
          .find(({ id }) => id === ids.at(-1))
          ?.requestBody()
          .equals(SECOND_TURN),
      ).toBe(true);
      reader.close();
      await test.writer.close();
    }));

  it('is never taken for another: a body whose segment had to be left is lost and counted', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT, fs });
      await record(test, FIRST_TURN);
      // A write stops short and cannot be cut off again, while a body that refers to the segment is queued.
      fs.stalled = true;
      const plain = recordExchange(test.writer, { request: [noise(1000, 9)] });
      await expect.poll(() => fs.writesInFlight).toBe(1);
      const referring = record(test, SECOND_TURN);
      fs.room = 700;
      fs.truncateFault = 'EIO';
      fs.release();
      await expect.poll(() => test.log.lost.length + test.writer.lostCounts.io_error).toBeGreaterThan(0);
      fs.room = Number.POSITIVE_INFINITY;
      fs.truncateFault = undefined;
      const ids = await Promise.all([plain, referring]);
      await test.writer.close();
      const reader = openTestReader(spoolDir, { writer: test });
      const whole = (await readEverything(reader)).filter(({ closing }) => closing === 'end');
      expect(whole.map(({ id }) => id)).not.toContain(ids[1]);
      for (const exchange of whole) expect(exchange.damaged).toBe(false);
      expect(Object.values(test.writer.lostCounts).reduce((sum, count) => sum + count, 0)).toBe(2);
      reader.close();
    }));
});

describe('any sessions', () => {
  const turn = fc.record({
    session: fc.constantFrom('a', 'b', 'c'),
    keep: fc.integer({ min: 0, max: 200_000 }),
    fresh: fc.nat(60_000),
    chunk: fc.integer({ min: 900, max: 200_000 }),
    flushes: fc.boolean(),
    after: fc.constantFrom('nothing', 'read', 'restart'),
  });

  it('are read back exactly, across reader restarts, and leave nothing behind', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { minLength: 5, maxLength: 25, size: 'max' }),
        fc.integer({ min: 200_000, max: 2_000_000 }),
        (turns, segmentBytes) => withSpool((spoolDir) => play(spoolDir, turns, segmentBytes)),
      ),
      { seed: 20261129, numRuns: 40, endOnFailure: true },
    );
  }, 30_000);

  type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

  async function play(spoolDir: string, turns: readonly Turn[], segmentBytes: number): Promise<void> {
    const test = openTestWriter(spoolDir, { segmentBytes, flushIntervalMs: 100_000 });
    const bodies = new Map<string, Buffer>();
    const last = new Map<string, Buffer>();
    let reader = openTestReader(spoolDir, { writer: test });
    const check = async () => {
      for (const exchange of await readEverything(reader)) {
        expect(exchange).toMatchObject({ closing: 'end', damaged: false });
        expect(exchange.requestBody().equals(bodies.get(exchange.id) ?? Buffer.alloc(0))).toBe(true);
        bodies.delete(exchange.id);
        reader.ack(exchange.id);
      }
    };
    for (const [index, { session, keep, fresh, chunk, flushes, after }] of turns.entries()) {
      const history = (last.get(session) ?? HISTORY).subarray(0, keep);
      const body = Buffer.concat([history, noise(fresh, index), TOOLS, TOOLS]);
      last.set(session, body);
      const recording = test.writer.begin(beginMeta({ headers: headersOf(body, session) }));
      for (const part of chunksOf(body, chunk)) {
        recording.requestChunk(part);
        if (flushes) test.writer.flush();
      }
      recording.requestEnd();
      bodies.set(recording.id, body);
      await recording.end({ outcome: 'completed', endedAt: 1 });
      if (after === 'nothing') continue;
      if (after === 'restart') {
        reader.close();
        reader = openTestReader(spoolDir, { writer: test });
      }
      await check();
    }
    await test.writer.close();
    await check();
    expect(bodies.size).toBe(0);
    expect(test.writer.budget.usedBytes()).toBe(0);
    reader.close();
  }
});
