import { describe, expect, it } from 'vitest';

import { pooledRandom } from './recorder-random.ts';

describe('pooled random bytes', () => {
  it('never repeat, also across refills', () => {
    const random = pooledRandom();
    const seen = new Set(Array.from({ length: 5000 }, () => Buffer.from(random(10)).toString('hex')));
    expect(seen.size).toBe(5000);
    expect([...seen].every((text) => text.length === 20)).toBe(true);
  });
});
