import { describe, expect, it } from 'vitest';

import { InvalidIdError } from './errors.ts';
import { bufferToUuid, createIdFactory, uuidTime, uuidToBuffer } from './ids.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOW = Date.UTC(2026, 10, 23, 12);

/** A factory on a clock that shows the given times, then stands still. */
function factoryAt(times: number[], byte = 0xff): () => string {
  let tick = 0;
  return createIdFactory({
    now: () => times[Math.min(tick++, times.length - 1)] ?? 0,
    random: (size) => new Uint8Array(size).fill(byte),
  });
}

describe('createIdFactory', () => {
  it.each([0x00, 0xff])('makes UUIDv7 from random bytes of %i', (byte) => {
    expect(factoryAt([NOW], byte)()).toMatch(UUID_V7);
  });

  it('puts the time into the id', () => {
    expect(uuidTime(factoryAt([NOW + 0.9])())).toBe(NOW);
  });

  it('makes ids that sort in the order made within one millisecond', () => {
    const next = factoryAt([NOW]);
    const ids = Array.from({ length: 10_000 }, () => next());
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(uuidTime(ids.at(-1) ?? '') - NOW).toBeLessThanOrEqual(3);
  });

  it('makes ids that sort in the order made on a clock with fractions of milliseconds', () => {
    const next = factoryAt([NOW + 0.1, NOW + 0.2, NOW + 0.9]);
    const ids = [next(), next(), next()];
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
  });

  it('makes ids that sort in the order made while the clock goes back', () => {
    const next = factoryAt([NOW, NOW - 5000, NOW - 4000, NOW + 1]);
    const ids = [next(), next(), next(), next()];
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.map((id) => uuidTime(id))).toEqual([NOW, NOW, NOW, NOW + 1]);
  });

  it('makes different ids from different random bytes', () => {
    expect(factoryAt([NOW], 1)()).not.toBe(factoryAt([NOW], 2)());
  });
});

describe('uuidToBuffer and bufferToUuid', () => {
  it('turn an id into 16 bytes and back', () => {
    const id = factoryAt([NOW])();
    expect(uuidToBuffer(id)).toHaveLength(16);
    expect(bufferToUuid(uuidToBuffer(id))).toBe(id);
    expect(bufferToUuid(uuidToBuffer(id.toUpperCase()))).toBe(id);
  });

  it('takes bytes out of the middle of a larger buffer', () => {
    const id = factoryAt([NOW])();
    const larger = Buffer.concat([Buffer.alloc(3), uuidToBuffer(id), Buffer.alloc(3)]);
    expect(bufferToUuid(larger.subarray(3, 19))).toBe(id);
  });

  it.each([
    '',
    'x',
    '019a1b2c-3d4e-7f60-8a9b-0c1d2e3f4a5',
    '019a1b2c-3d4e-7f60-8a9b-0c1d2e3f4a5g',
    '0'.repeat(36),
  ])('refuse %j', (id) => {
    expect(() => uuidToBuffer(id)).toThrow(InvalidIdError);
    expect(() => uuidTime(id)).toThrow(expect.objectContaining({ code: 'NEXUS_ID_INVALID' }));
  });

  it('refuse another number of bytes', () => {
    expect(() => bufferToUuid(Buffer.alloc(15))).toThrow('15 bytes instead of 16');
  });
});
