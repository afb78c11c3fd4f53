import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { YoungCollector } from './young-collector.ts';

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

  it('keeps dead chunks from adding up', async () => {
    const collector = new YoungCollector();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      Buffer.alloc(CHUNK, 1);
      collector.allocated(CHUNK);
      if (i % 16 === 0) await turn();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(40 * 1024 * 1024);
  });
});
