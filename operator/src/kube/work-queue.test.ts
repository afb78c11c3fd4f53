import { describe, expect, it } from 'vitest';

import { createOperatorMetrics } from './metrics.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

function harness(workers = 2) {
  const clock = new FakeClock();
  const metrics = createOperatorMetrics({ processMetrics: false });
  const queue = new WorkQueue({ name: 'q', clock, metrics });
  const begun: string[] = [];
  const open = new Map<string, () => void>();
  const run = (): void =>
    queue.run(workers, (key) => {
      begun.push(key);
      return new Promise((resolve) => open.set(key, resolve));
    });
  const finish = async (key: string): Promise<void> => {
    open.get(key)?.();
    await settle();
  };
  return { clock, metrics, queue, begun, run, finish };
}

describe('WorkQueue', () => {
  it('hands out each waiting key once, in order, to so many workers', async () => {
    const { queue, begun, run, finish } = harness(2);
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.length).toBe(3);
    run();
    expect(begun).toEqual(['a', 'b']);
    await finish('b');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('works on a key again afterwards, never at the same time, when it is added meanwhile', async () => {
    const { queue, begun, run, finish } = harness(2);
    run();
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(begun).toEqual(['a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
  });

  it('takes the earliest of several delays', async () => {
    const { queue, clock, begun, run } = harness();
    run();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5000);
    await clock.advance(99);
    expect(begun).toEqual([]);
    await clock.advance(1);
    expect(begun).toEqual(['a']);
    expect(clock.pending).toEqual([]);
  });

  it('doubles the delay of each failure from 5 ms to 1000 s until the key is forgotten', async () => {
    const { queue, clock } = harness();
    const delays: number[] = [];
    for (let failure = 0; failure < 20; failure++) {
      queue.addRateLimited('a');
      delays.push(...clock.pending);
      await clock.advance(clock.pending[0] ?? 0);
    }
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.at(-1)).toBe(1_000_000);
    expect(queue.retries('a')).toBe(20);
    queue.forget('a');
    queue.addRateLimited('a');
    expect(clock.pending).toEqual([5]);
  });

  it('never comes back sooner than asked', () => {
    const { queue, clock } = harness();
    queue.addRateLimited('a', 7000);
    expect(clock.pending).toEqual([7000]);
  });

  it('keeps a key for as long as the server asked, whatever is added before or meanwhile', async () => {
    const { clock, queue, begun, run, finish } = harness();
    run();
    queue.add('a');
    queue.addAfter('a', 500);
    queue.add('a');
    queue.addRateLimited('a', 2000);
    await finish('a');
    queue.add('a');
    await clock.advance(1999);
    expect(begun).toEqual(['a']);
    await clock.advance(1);
    expect(begun).toEqual(['a', 'a']);
  });

  it('lets a hundred failures through at once, then ten a second', () => {
    const { queue, clock } = harness();
    for (let index = 0; index < 103; index++) queue.addRateLimited(`k${index}`);
    expect(clock.pending.slice(-4)).toEqual([5, 100, 200, 300]);
  });

  it('waits for what runs and takes nothing on any more when it is shut down', async () => {
    const { queue, clock, begun, run, finish } = harness(1);
    run();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    queue.addAfter('c', 10);
    let down = false;
    const shutdown = queue.shutdown().then(() => (down = true));
    queue.add('d');
    await clock.advance(100);
    expect([down, begun, clock.pending]).toEqual([false, ['a'], []]);
    await finish('a');
    await shutdown;
    expect(begun).toEqual(['a']);
  });

  it('goes on after work that throws', async () => {
    const { queue } = harness();
    const begun: string[] = [];
    queue.run(1, (key) => {
      begun.push(key);
      return Promise.reject(new Error('no'));
    });
    queue.add('a');
    queue.add('b');
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });

  it('measures under the names of client-go', async () => {
    const { queue, metrics, clock, run } = harness();
    queue.add('a');
    await clock.advance(2000);
    run();
    queue.add('b');
    queue.addRateLimited('c');
    await clock.advance(3);
    const text = await metrics.registry.metrics();
    const labels = '{name="q",controller="q"}';
    for (const line of [
      `workqueue_adds_total${labels} 2`,
      `workqueue_depth${labels} 0`,
      `workqueue_retries_total${labels} 1`,
      `workqueue_unfinished_work_seconds${labels} 0.006`,
      `workqueue_longest_running_processor_seconds${labels} 0.003`,
      `workqueue_queue_duration_seconds_sum${labels} 2`,
    ]) {
      expect(text).toContain(line);
    }
  });
});
