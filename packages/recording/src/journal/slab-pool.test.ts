import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SlabPool } from './slab-pool.ts';
import type { SlabPart } from './slab-pool.ts';

const KIB = 1024;

describe('SlabPool', () => {
  it('never hands out memory that is in use', () => {
    const step = fc.record({ bytes: fc.integer({ min: 0, max: 300 * KIB }), releases: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = new SlabPool();
        const live: { part: SlabPart; mark: number }[] = [];
        for (const [mark, { bytes, releases }] of steps.entries()) {
          const part = pool.take(bytes);
          expect(part.bytes).toHaveLength(bytes);
          part.bytes.fill(mark);
          live.push({ part, mark });
          for (const { part: old } of live.splice(mark % 3, releases))
            if (old.slab !== undefined) pool.release(old.slab);
          for (const { part: kept, mark: value } of live) {
            if (!kept.bytes.every((byte) => byte === value)) throw new Error('overwritten while in use');
          }
        }
      }),
      { seed: 20261123, numRuns: 60 },
    );
  });

  it('uses memory again', () => {
    const pool = new SlabPool();
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 100; i++) {
      const parts = Array.from({ length: 8 }, () => pool.take(100 * KIB));
      for (const { bytes, slab } of parts) {
        memory.add(bytes.buffer);
        if (slab !== undefined) pool.release(slab);
      }
    }
    expect(memory.size).toBeLessThanOrEqual(3);
  });

  it('gives large parts memory of their own', () => {
    expect(new SlabPool().take(400 * KIB)).toMatchObject({ slab: undefined });
  });
});
