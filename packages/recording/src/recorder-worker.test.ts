import { createLogger } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { JournalControl } from './journal/control.ts';
import { RecorderWorker } from './recorder-worker.ts';

const HANG_MS = 1000;
/** A thread that runs and does nothing. */
const IDLE = new URL('data:text/javascript,setInterval(()=>{},1000)');
const idBytes = (digit: number): Buffer => Buffer.alloc(16, digit);

function start() {
  const control = new JournalControl();
  const clock = { now: 1_000_000 };
  const suspects: unknown[] = [];
  const worker = new RecorderWorker({
    url: IDLE,
    control,
    logger: createLogger({ name: 'test', level: 'silent' }),
    hangMs: HANG_MS,
    onCount: () => undefined,
    now: () => clock.now,
    data: (current) => {
      suspects.push(current);
      return { journal: {}, recorderId: 'test', settings: {} } as never;
    },
  });
  worker.start();
  return {
    control,
    worker,
    suspects,
    /** Lets so much time pass and looks at the worker. */
    after: (ms: number): void => {
      clock.now += ms;
      worker.watch();
    },
  };
}

describe('the watch over the worker', () => {
  it('ends one that shows no sign of life while it processes exchanges, all of which become suspects', async () => {
    const { control, worker, suspects, after } = start();
    control.setProcessing([idBytes(1), idBytes(2)]);
    after(0);
    after(HANG_MS + 1);
    await expect.poll(() => suspects.length, { timeout: 5000 }).toBe(2);
    expect(suspects[1]).toEqual([
      { id: '01010101-0101-0101-0101-010101010101', attempts: 0 },
      { id: '02020202-0202-0202-0202-020202020202', attempts: 0 },
    ]);
    control.setProcessing([idBytes(2)]);
    after(0);
    after(HANG_MS + 1);
    await expect.poll(() => suspects.length, { timeout: 5000 }).toBe(3);
    expect(suspects[2]).toEqual([
      { id: '01010101-0101-0101-0101-010101010101', attempts: 0 },
      { id: '02020202-0202-0202-0202-020202020202', attempts: 1 },
    ]);
    await worker.stop(0);
  });

  it.each([
    ['comes round while it waits', [idBytes(1)], true],
    ['processes nothing', [], false],
  ])('leaves one alone that %s, however long', async (_, processing, showsLife) => {
    const { control, worker, after } = start();
    control.setProcessing(processing);
    for (let round = 0; round < 10; round++) {
      after(HANG_MS - 1);
      if (showsLife) control.showLife();
    }
    expect(worker.restarts).toBe(0);
    await worker.stop(0);
    expect(worker.restarts).toBe(0);
  });
});

describe('the exchanges being processed', () => {
  it('are named up to a bound, and none when done', () => {
    const control = new JournalControl();
    control.setProcessing(Array.from({ length: 2000 }, (_, index) => idBytes(index % 256)));
    expect(control.processing()).toHaveLength(1024);
    expect(control.processing()[300]).toEqual(idBytes(300 % 256));
    control.setProcessing([]);
    expect(control.processing()).toEqual([]);
  });
});
