import { describe, expect, it } from 'vitest';

import { RoomPool } from './room-pool.ts';

const MB = 1024 * 1024;

describe('RoomPool', () => {
  it('lends again what was given back, after the round in which it was', () => {
    const pool = new RoomPool(MB);
    const first = pool.take(70_000);
    pool.giveBack(first);
    expect(pool.take(70_000).buffer).not.toBe(first.buffer);
    pool.recycle();
    expect(pool.take(70_000).buffer).toBe(first.buffer);
    expect(pool.take(70_000).buffer).not.toBe(first.buffer);
  });

  it.each([
    [70_000, 62_000, true],
    [70_000, 40_000, false],
    [70_000, 100_000, false],
    [500, 500, false],
  ])('of a room for %i bytes makes one for %i: %s', (given, wanted, isSame) => {
    const pool = new RoomPool(MB);
    const room = pool.take(given);
    pool.giveBack(room);
    pool.recycle();
    const next = pool.take(wanted);
    expect(next.length).toBe(wanted);
    expect(next.buffer === room.buffer).toBe(isSame);
  });

  it('takes back each room once, and only its own', () => {
    const pool = new RoomPool(MB);
    const room = pool.take(70_000);
    pool.giveBack(room);
    pool.giveBack(room.subarray(0, 10));
    const foreign = Buffer.allocUnsafeSlow(pool.roomOf(pool.take(70_000))?.length ?? 0);
    pool.giveBack(foreign);
    expect(pool.roomOf(foreign)).toBeUndefined();
    pool.recycle();
    const lent = [pool.take(70_000), pool.take(70_000)].map(({ buffer }) => buffer);
    expect(new Set([...lent, foreign.buffer]).size).toBe(3);
  });

  it('keeps no more for later than it may', () => {
    const pool = new RoomPool(200_000);
    const rooms = Array.from({ length: 10 }, () => pool.take(70_000));
    for (const room of rooms) pool.giveBack(room);
    pool.recycle();
    expect(pool.freeBytes).toBeGreaterThan(70_000);
    expect(pool.freeBytes).toBeLessThanOrEqual(200_000);
    for (let i = 0; i < 10; i++) pool.take(70_000);
    expect(pool.freeBytes).toBe(0);
  });
});
