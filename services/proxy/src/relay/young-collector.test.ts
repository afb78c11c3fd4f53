import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { findCollector, YoungCollector } from './young-collector.ts';

const CHUNK = 64 * 1024;

describe('YoungCollector', () => {
  it('collects once for every 24 MiB, when the work at hand is done', async () => {
    let collections = 0;
    const collector = new YoungCollector(() => collections++);
    for (let i = 0; i < 384; i++) collector.allocated(CHUNK);
    for (let i = 0; i < 10; i++) collector.allocated(CHUNK);
    expect(collections).toBe(0);
    await turn();
    expect(collections).toBe(1);
    for (let i = 0; i < 383; i++) collector.allocated(CHUNK);
    await turn();
    expect(collections).toBe(1);
    collector.allocated(CHUNK);
    await turn();
    expect(collections).toBe(2);
  });

  it('finds a collector in this runtime', () => {
    const collect = findCollector();
    const before = process.memoryUsage().heapUsed;
    let rubbish: unknown[] = Array.from({ length: 20_000 }, (_, index) => ({ index }));
    expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(20_000 * 16);
    rubbish = [];
    collect?.({ type: 'minor' });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000 * 16);
    expect(rubbish).toEqual([]);
  });
});
