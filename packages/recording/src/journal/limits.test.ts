import { describe, expect, it, vi } from 'vitest';

import type { JournalWriter } from './journal-writer.ts';
import { listSegments } from './segment-files.ts';
import { createFailingFs } from './testing/failing-fs.ts';
import type { FailingFs } from './testing/failing-fs.ts';
import {
  beginMeta,
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';
import type { TestWriter } from './testing/spool.ts';

const lostOf = (writer: JournalWriter) =>
  Object.fromEntries(Object.entries(writer.lostCounts).filter(([, count]) => count > 0));

const KILOBYTES_100 = { request: [Buffer.alloc(100_000, 'r')] };

describe('a full spool', () => {
  it('drops whole exchanges, counts them, tells once, and records again when the reader has made room', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { maxBytes: 1_000_000 });
      const ids: string[] = [];
      for (let index = 0; index < 20; index++) ids.push(await recordExchange(test.writer, KILOBYTES_100));
      expect(test.log.full).toEqual(['spool_full']);
      const dropped = test.writer.lostCounts.spool_full;
      expect(dropped).toBeGreaterThan(5);
      expect(test.writer.budget.usedBytes()).toBeLessThanOrEqual(1_000_000);
      const reader = openTestReader(spoolDir, { writer: test });
      const read = await readEverything(reader);
      expect(read.map(({ id }) => id)).toEqual(ids.slice(0, 20 - dropped));
      for (const { id } of read) reader.ack(id);
      expect(test.writer.budget.isFull()).toBe(false);
      const after = await recordExchange(test.writer, KILOBYTES_100);
      expect((await readEverything(reader)).map(({ id }) => id)).toEqual([after]);
      expect(test.log.full).toEqual(['spool_full', undefined]);
      expect(lostOf(test.writer)).toEqual({ spool_full: dropped });
      reader.close();
      await test.writer.close();
    }));

  it('closes an exchange that no longer fits as lost, and the reader learns it', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { maxBytes: 500_000 });
      const recording = test.writer.begin(beginMeta());
      for (let index = 0; index < 8; index++) {
        recording.requestChunk(Buffer.alloc(100_000));
        await expect.poll(() => test.writer.budget.queuedBytes).toBe(0);
      }
      await recording.end({ outcome: 'completed', endedAt: 1 });
      expect(lostOf(test.writer)).toEqual({ spool_full: 1 });
      await expect.poll(() => test.log.lost).toEqual([{ id: recording.id, reason: 'spool_full' }]);
      const reader = openTestReader(spoolDir, { writer: test, lost: test.log.lost });
      expect(await readEverything(reader)).toMatchObject([
        { id: recording.id, closing: 'lost', lost: 'spool_full' },
      ]);
      reader.ack(recording.id);
      reader.close();
      await test.writer.close();
      // The mark in the journal tells a later process the same.
      expect(test.writer.unmarked.size).toBe(0);
    }));

  it('never refuses what a disk that is too slow still holds in memory, up to the bound', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      fs.stalled = true;
      const test = openTestWriter(spoolDir, { fs, maxQueuedBytes: 1_000_000, lateAfterMs: 1 });
      for (let index = 0; index < 20; index++) await recordExchange(test.writer, KILOBYTES_100);
      expect(test.writer.budget.queuedBytes).toBeLessThanOrEqual(1_000_000);
      const dropped = test.writer.lostCounts.queue_full;
      expect(dropped).toBeGreaterThan(5);
      expect(test.log.full).toEqual(['queue_full']);
      expect(test.writer.late).toBe(20 - dropped);
      fs.release();
      await expect.poll(() => test.writer.budget.queuedBytes).toBe(0);
      const reader = openTestReader(spoolDir, { writer: test });
      expect(await readEverything(reader)).toHaveLength(20 - dropped);
      expect(fs.mostWritesInFlight).toBe(1);
      reader.close();
      await test.writer.close();
    }));
});

describe('a client', () => {
  it('waits for the end record no longer than the bound; late is not lost', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { fs, lateAfterMs: 5 });
      fs.stalled = true;
      await recordExchange(test.writer);
      expect(test.writer.late).toBe(1);
      fs.release();
      await test.writer.close();
      expect(lostOf(test.writer)).toEqual({});
      const reader = openTestReader(spoolDir);
      expect(await readEverything(reader)).toMatchObject([{ closing: 'end' }]);
      reader.close();
    }));

  it('is served when the late record fails in the end, which counts as lost', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { fs, lateAfterMs: 5 });
      fs.stalled = true;
      await recordExchange(test.writer);
      fs.fault = 'EIO';
      fs.release();
      await expect.poll(() => lostOf(test.writer)).toEqual({ io_error: 1 });
      expect(test.writer.late).toBe(1);
      fs.fault = undefined;
      await test.writer.close();
    }));
});

/** Runs probes at once instead of every half second. */
async function recover(test: TestWriter): Promise<string> {
  await vi.waitFor(
    async () => {
      const before = test.writer.begun;
      await recordExchange(test.writer);
      expect(test.writer.begun).toBe(before + 1);
      expect(test.writer.budget.failing).toBeUndefined();
    },
    { timeout: 5000, interval: 20 },
  );
  return recordExchange(test.writer);
}

describe('a disk that fails', () => {
  const faults: {
    name: string;
    reason: string;
    break: (fs: FailingFs) => void;
    mend: (fs: FailingFs) => void;
  }[] = [
    {
      name: 'full in the middle of a record',
      reason: 'disk_full',
      break: (fs) => {
        fs.room = 1000;
      },
      mend: (fs) => {
        fs.room = Number.POSITIVE_INFINITY;
      },
    },
    {
      name: 'full in the middle of a record that cannot be cut off again',
      reason: 'disk_full',
      break: (fs) => {
        fs.room = 1000;
        fs.truncateFault = 'EIO';
      },
      mend: (fs) => {
        fs.room = Number.POSITIVE_INFINITY;
        fs.truncateFault = undefined;
      },
    },
    {
      name: 'with input/output errors',
      reason: 'io_error',
      break: (fs) => {
        fs.fault = 'EIO';
      },
      mend: (fs) => {
        fs.fault = undefined;
      },
    },
  ];

  for (const fault of faults) {
    it(`${fault.name}: loses what it cannot take, keeps the rest, and works again`, () =>
      withSpool(async (spoolDir) => {
        const fs = createFailingFs();
        const test = openTestWriter(spoolDir, { fs });
        const before = await recordExchange(test.writer, KILOBYTES_100);
        fault.break(fs);
        for (let index = 0; index < 5; index++) await recordExchange(test.writer, KILOBYTES_100);
        expect(lostOf(test.writer)).toEqual({ [fault.reason]: 5 });
        expect(test.log.failing).toEqual([fault.reason]);
        fault.mend(fs);
        const after = await recover(test);
        expect(test.log.failing).toEqual([fault.reason, undefined]);
        const reader = openTestReader(spoolDir, { writer: test });
        const read = await readEverything(reader);
        expect(read[0]).toMatchObject({ id: before, closing: 'end', damaged: false });
        expect(read.at(-1)).toMatchObject({ id: after, closing: 'end', damaged: false });
        expect(read.every(({ closing, damaged }) => closing === 'end' && !damaged)).toBe(true);
        reader.close();
        await test.writer.close();
      }));
  }

  it('costs of a shared write only the exchanges that are not whole in the file', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { fs });
      fs.room = 250_000;
      const ids = await Promise.all(
        Array.from({ length: 4 }, () => recordExchange(test.writer, KILOBYTES_100)),
      );
      expect(lostOf(test.writer)).toEqual({ disk_full: 2 });
      const reader = openTestReader(spoolDir, { writer: test });
      expect((await readEverything(reader)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      reader.close();
      fs.room = Number.POSITIVE_INFINITY;
      await test.writer.close();
    }));

  it('leaves a stream in flight marked as lost once it works again', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const test = openTestWriter(spoolDir, { fs });
      const stream = test.writer.begin(beginMeta());
      stream.requestEnd();
      await recordExchange(test.writer);
      fs.fault = 'ENOSPC';
      await stream.end({ outcome: 'completed', endedAt: 1 });
      expect(test.log.lost).toEqual([{ id: stream.id, reason: 'disk_full' }]);
      fs.fault = undefined;
      await recover(test);
      expect(test.writer.unmarked.size).toBe(0);
      await test.writer.close();
      const reader = openTestReader(spoolDir);
      const closings = new Map((await readEverything(reader)).map(({ id, closing }) => [id, closing]));
      expect(closings.get(stream.id)).toBe('lost');
      reader.close();
    }));

  it('reports failed syncs and goes on', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      fs.sync = (_fd, done) => done(new Error('EIO'));
      const test = openTestWriter(spoolDir, { fs, syncIntervalMs: 0 });
      await recordExchange(test.writer);
      await expect.poll(() => test.log.syncFailures).toBeGreaterThan(0);
      await recordExchange(test.writer);
      await test.writer.close();
      expect(lostOf(test.writer)).toEqual({});
    }));

  it('does not lose exchanges when a new segment cannot be created, once it can', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      fs.fault = 'EMFILE';
      const test = openTestWriter(spoolDir, { fs });
      await recordExchange(test.writer);
      expect(lostOf(test.writer)).toEqual({ io_error: 1 });
      fs.fault = undefined;
      await recover(test);
      expect(listSegments(spoolDir)).toHaveLength(1);
      await test.writer.close();
    }));
});

describe('syncing', () => {
  it('is grouped and never holds a release back', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      let syncs = 0;
      const finish: (() => void)[] = [];
      fs.sync = (_fd, done) => {
        syncs++;
        finish.push(() => done(null));
      };
      const test = openTestWriter(spoolDir, { fs, syncIntervalMs: 0 });
      for (let index = 0; index < 20; index++) await recordExchange(test.writer);
      await expect.poll(() => syncs).toBe(1);
      for (let index = 0; index < 20; index++) await recordExchange(test.writer);
      expect(syncs).toBe(1);
      const pending = setInterval(() => {
        for (const done of finish.splice(0)) done();
      }, 1);
      await test.writer.close();
      clearInterval(pending);
      expect(lostOf(test.writer)).toEqual({});
    }));
});
