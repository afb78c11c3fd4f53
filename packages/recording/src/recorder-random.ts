import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;

/** A source of random bytes that asks the system for many at once: one call for each id costs more than the id. */
export function pooledRandom(): (size: number) => Uint8Array {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return (size) => {
    if (used + size > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}
