import { describe, expect, it } from 'vitest';

import { Controller } from './controller.ts';
import type { ReconcileResult } from './controller.ts';
import { ApiError } from './errors.ts';
import { createOperatorMetrics } from './metrics.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeClock, settle } from './testing/fake-clock.ts';
import { WorkQueue } from './work-queue.ts';

function harness(reconcile: (key: string) => Promise<ReconcileResult>) {
  const clock = new FakeClock();
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log, text } = captureLogger();
  const queue = new WorkQueue({ name: 'claudenexus', clock, metrics });
  const controller = new Controller({
    name: 'claudenexus',
    queue,
    concurrency: 1,
    clock,
    log,
    metrics,
    reconcile,
  });
  controller.start();
  return { clock, metrics, queue, text, controller };
}

describe('Controller', () => {
  it('looks again when the reconcile says so', async () => {
    const seen: string[] = [];
    const { clock, queue } = harness((key) => {
      seen.push(key);
      return Promise.resolve({ requeueAfterMs: 1000 });
    });
    queue.add('ns/a');
    await clock.advance(1000);
    expect(seen).toEqual(['ns/a', 'ns/a']);
  });

  it('tries a failed reconcile again, later each time, until it succeeds', async () => {
    let calls = 0;
    const { clock, queue, metrics, text } = harness(() => {
      calls += 1;
      return calls < 3 ? Promise.reject(new Error('broken')) : Promise.resolve({});
    });
    queue.add('ns/a');
    await settle();
    expect([queue.retries('ns/a'), clock.pending]).toEqual([1, [5]]);
    await clock.advance(5);
    expect([queue.retries('ns/a'), clock.pending]).toEqual([2, [10]]);
    await clock.advance(10);
    expect([calls, queue.retries('ns/a'), clock.pending]).toEqual([3, 0, []]);
    expect(text()).toContain('"key":"ns/a"');
    const scraped = await metrics.registry.metrics();
    expect(scraped).toContain(
      'controller_runtime_reconcile_total{controller="claudenexus",result="error"} 2',
    );
    expect(scraped).toContain(
      'controller_runtime_reconcile_total{controller="claudenexus",result="success"} 1',
    );
    expect(scraped).toContain('controller_runtime_reconcile_errors_total{controller="claudenexus"} 2');
    expect(scraped).toContain('controller_runtime_active_workers{controller="claudenexus"} 0');
  });

  it('waits as long as the API server asks', async () => {
    const { clock, queue } = harness(() =>
      Promise.reject(new ApiError('busy', { status: 429, reason: 'TooManyRequests', retryAfterSeconds: 3 })),
    );
    queue.add('ns/a');
    await settle();
    expect(clock.pending).toEqual([3000]);
  });

  it('survives a reconcile that throws before it waits', async () => {
    const { queue, clock } = harness(() => {
      throw new TypeError('defect');
    });
    queue.add('ns/a');
    await settle();
    expect(clock.pending).toEqual([5]);
  });
});
