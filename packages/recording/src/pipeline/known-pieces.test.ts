import { describe, expect, it } from 'vitest';

import { contentHash } from '../store/index.ts';
import { KnownPieces } from './known-pieces.ts';

const hashes = Array.from({ length: 2000 }, (_, at) => contentHash(Buffer.from(String(at))));

describe('KnownPieces', () => {
  it('knows exactly what was added, in the week it was added to', () => {
    const known = new KnownPieces(4096);
    for (const hash of hashes.slice(0, 1000)) known.add(2900, hash);
    expect(hashes.map((hash) => known.has(2900, hash))).toEqual(hashes.map((_, at) => at < 1000));
    expect(hashes.filter((hash) => known.has(2901, hash))).toEqual([]);
    known.clear();
    expect(hashes.filter((hash) => known.has(2900, hash))).toEqual([]);
  });

  it.each([
    ['in every word', Buffer.from('00000000000000000000000000000000', 'hex')],
    ['in the last word', Buffer.from('00112233445566778899aabb00000000', 'hex')],
  ])('knows a hash that is zero %s', (_name, hash) => {
    const known = new KnownPieces(16);
    expect(known.has(0, hash)).toBe(false);
    known.add(0, hash);
    expect(known.has(0, hash)).toBe(true);
  });

  it('tells hashes apart that share a slot and all words but one', () => {
    const base = Buffer.alloc(16, 0x55);
    const others = Array.from({ length: 16 }, (_, byte) => {
      const other = Buffer.from(base);
      other[byte] = 0x56;
      return other;
    });
    const known = new KnownPieces(64);
    known.add(7, base);
    expect(others.filter((other) => known.has(7, other))).toEqual([]);
    for (const other of others) known.add(7, other);
    expect(others.every((other) => known.has(7, other))).toBe(true);
  });

  it('forgets the oldest when full, and always remembers at least as many as half a table holds', () => {
    const known = new KnownPieces(64);
    for (const [at, hash] of hashes.entries()) {
      known.add(1, hash);
      const recent = hashes.slice(Math.max(0, at - 31), at + 1);
      expect(recent.every((one) => known.has(1, one))).toBe(true);
    }
    expect(hashes.slice(0, 1900).filter((hash) => known.has(1, hash))).toEqual([]);
  });
});
