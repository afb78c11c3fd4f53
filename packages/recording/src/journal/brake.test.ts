import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Brake } from './brake.ts';
import { nodeJournalFs } from './journal-fs.ts';
import type { JournalFs } from './journal-fs.ts';
import type { JournalWriter } from './journal-writer.ts';
import { createFailingFs } from './testing/failing-fs.ts';
import { beginMeta, openTestReader, openTestWriter, readEverything, withSpool } from './testing/spool.ts';

const HIGH = 1000;
const HANG_MS = 500;

async function isOver(promise: Promise<void> | undefined): Promise<boolean> {
  const over = vi.fn<() => void>();
  void promise?.then(over);
  await Promise.resolve();
  return over.mock.calls.length > 0;
}

describe('the brake', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('holds nobody below the mark, and everybody above it until half of it is written', async () => {
    const brake = new Brake({ highBytes: HIGH, hangMs: HANG_MS });
    expect(brake.check(HIGH - 1)).toBeUndefined();
    const held = brake.check(HIGH);
    expect(brake.check(HIGH - 1)).toBe(held);
    brake.progress(HIGH / 2 + 1);
    expect(await isOver(held)).toBe(false);
    brake.progress(HIGH / 2);
    expect(await isOver(held)).toBe(true);
    expect(brake.check(HIGH / 2)).toBeUndefined();
  });

  it('holds on while a disk writes, however slowly', async () => {
    const brake = new Brake({ highBytes: HIGH, hangMs: HANG_MS });
    const held = brake.check(5 * HIGH);
    for (let left = 5 * HIGH; left > HIGH; left -= 100) {
      vi.advanceTimersByTime(HANG_MS - 1);
      brake.progress(left);
    }
    expect(await isOver(held)).toBe(false);
    brake.progress(0);
    expect(await isOver(held)).toBe(true);
  });

  it('lets go when the disk hangs, and holds again only once it has written', async () => {
    const brake = new Brake({ highBytes: HIGH, hangMs: HANG_MS });
    const held = brake.check(HIGH);
    vi.advanceTimersByTime(HANG_MS);
    expect(await isOver(held)).toBe(true);
    expect(brake.check(10 * HIGH)).toBeUndefined();
    brake.progress(9 * HIGH);
    expect(brake.check(9 * HIGH)).toBeDefined();
    brake.release();
  });
});

const QUEUE = 8_000_000;
const CHUNK = Buffer.alloc(64 * 1024, 'c');

/** A disk that takes its time for every write. */
const slowFs: JournalFs = {
  ...nodeJournalFs,
  writev: (fd, buffers, done) => {
    setTimeout(() => nodeJournalFs.writev(fd, buffers, done), 5);
  },
};

/** A body of 2 MB, sent as fast as the recording lets it be. */
async function send(writer: JournalWriter): Promise<void> {
  const recording = writer.begin(beginMeta());
  for (let chunk = 0; chunk < 32; chunk++) {
    recording.requestChunk(CHUNK);
    await recording.catchUp();
    // As from a socket: the next chunk comes in another turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  recording.requestEnd();
  await recording.end({ outcome: 'completed', endedAt: 1 });
}

describe('a burst of bodies larger than the queue', () => {
  it('is recorded in full by a disk that is merely slow', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { fs: slowFs, maxQueuedBytes: QUEUE });
      await Promise.all(Array.from({ length: 20 }, () => send(test.writer)));
      expect(Object.values(test.writer.lostCounts).every((count) => count === 0)).toBe(true);
      await test.writer.close();
      const reader = openTestReader(spoolDir);
      const read = await readEverything(reader);
      expect(read.map(({ requestLength }) => requestLength)).toEqual(
        Array.from({ length: 20 }, () => 32 * CHUNK.length),
      );
      reader.close();
    }));

  it('is served in full while the disk hangs, and counted as far as it did not fit', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      fs.stalled = true;
      const test = openTestWriter(spoolDir, { fs, maxQueuedBytes: QUEUE, lateAfterMs: 1, hangMs: 1 });
      await Promise.all(Array.from({ length: 20 }, () => send(test.writer)));
      const { queue_full: lost } = test.writer.lostCounts;
      expect(lost).toBeGreaterThan(0);
      expect(test.writer.budget.queuedBytes).toBeLessThanOrEqual(QUEUE);
      fs.release();
      await test.writer.close();
      const reader = openTestReader(spoolDir);
      const whole = (await readEverything(reader)).filter(({ closing }) => closing === 'end');
      expect(whole).toHaveLength(20 - lost);
      reader.close();
    }));
});
