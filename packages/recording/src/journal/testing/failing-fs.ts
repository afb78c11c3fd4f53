import { writevSync } from 'node:fs';

import { nodeJournalFs } from '../journal-fs.ts';
import type { JournalFs } from '../journal-fs.ts';

/** A real file system whose next writes can be made to fail, stall or stop short. */
export interface FailingFs extends JournalFs {
  /** Bytes that may still be written; beyond them the disk is full. */
  room: number;
  /** Error code of every operation that writes, until cleared. */
  fault: string | undefined;
  truncateFault: string | undefined;
  /** While true, writes wait; `release` lets them go. */
  stalled: boolean;
  release(): void;
  writesInFlight: number;
  mostWritesInFlight: number;
}

export function createFailingFs(): FailingFs {
  const waiting: (() => void)[] = [];
  const fs: FailingFs = {
    ...nodeJournalFs,
    room: Number.POSITIVE_INFINITY,
    fault: undefined,
    truncateFault: undefined,
    stalled: false,
    writesInFlight: 0,
    mostWritesInFlight: 0,
    release() {
      fs.stalled = false;
      for (const go of waiting.splice(0)) go();
    },
    create(path, done) {
      if (fs.fault !== undefined) return done(fault(fs.fault), -1);
      return nodeJournalFs.create(path, done);
    },
    writev(fd, buffers, done) {
      fs.writesInFlight++;
      fs.mostWritesInFlight = Math.max(fs.mostWritesInFlight, fs.writesInFlight);
      const go = () => {
        setImmediate(() => {
          fs.writesInFlight--;
          const { error, written } = write(fs, fd, buffers);
          done(error, written);
        });
      };
      if (fs.stalled) waiting.push(go);
      else go();
    },
    truncate(fd, length, done) {
      if (fs.truncateFault !== undefined) return done(fault(fs.truncateFault));
      return nodeJournalFs.truncate(fd, length, done);
    },
    space: (_path, done) => done({ free: fs.room, total: 1e9 }),
  };
  return fs;
}

function write(
  fs: FailingFs,
  fd: number,
  buffers: readonly Buffer[],
): { error: Error | null; written: number } {
  if (fs.fault !== undefined) return { error: fault(fs.fault), written: 0 };
  const all = Buffer.concat(buffers);
  const fits = all.subarray(0, Math.min(all.length, fs.room));
  if (fits.length === 0) return { error: fault('ENOSPC'), written: 0 };
  fs.room -= fits.length;
  return { error: null, written: writevSync(fd, [fits]) };
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
