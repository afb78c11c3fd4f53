import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bucketUpperMs, latencyBucket } from './latency.ts';

const MAX_MS = 3 * 24 * 60 * 60 * 1000;

describe('latencyBucket', () => {
  it.each([
    [Number.NaN, 0],
    [-5, 0],
    [0, 0],
    [1, 0],
    [1.01, 1],
    [Number.POSITIVE_INFINITY, 400],
    [1e12, 400],
  ])('puts %d into bucket %i', (ms, bucket) => {
    expect(latencyBucket(ms)).toBe(bucket);
  });

  it('puts every bound into its own bucket and what is above it into the next', () => {
    for (let bucket = 0; bucket < 400; bucket++) {
      const upper = bucketUpperMs(bucket);
      expect(latencyBucket(upper)).toBe(bucket);
      expect(latencyBucket(upper * (1 + Number.EPSILON))).toBe(bucket + 1);
    }
  });

  it('reports any duration from 1 ms to 3 days at most 5 % too high', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: MAX_MS, noNaN: true }), (ms) => {
        const reported = bucketUpperMs(latencyBucket(ms));
        expect(reported).toBeGreaterThanOrEqual(ms);
        expect(reported / ms).toBeLessThanOrEqual(1.05 + 1e-9);
      }),
      { seed: 20261123, numRuns: 2000 },
    );
  });
});
