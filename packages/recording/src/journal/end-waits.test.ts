import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { EndWaits } from './end-waits.ts';

/** Keeps the process from running anything else. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('EndWaits', () => {
  it('releases a wait that nothing settles, and counts it', async () => {
    const waits = new EndWaits({ lateAfterMs: 20, now: () => performance.now() });
    const started = performance.now();
    await waits.start().promise;
    expect(performance.now() - started).toBeGreaterThanOrEqual(19);
    expect(waits.late).toBe(1);
  });

  it('does not count against the disk the time in which the process did not run', async () => {
    const waits = new EndWaits({ lateAfterMs: 20, now: () => performance.now() });
    const wait = waits.start();
    block(40);
    // What the disk answers takes another moment to be heard.
    void delay(10).then(() => wait.settle());
    await wait.promise;
    expect(waits.late).toBe(0);
  });

  it('bounds the wait on a machine that never gets to run it in time', async () => {
    let now = 0;
    // Each look at the clock is a second later.
    const waits = new EndWaits({ lateAfterMs: 5, now: () => (now += 1000) });
    await waits.start().promise;
    expect(waits.late).toBe(1);
  });
});
