import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkedInteger, cleanCount, cleanDecimal, cleanJson, cleanText, hashText } from './clean-values.ts';

describe('cleanText', () => {
  it.each([
    ['plain é 😀', 'plain é 😀'],
    ['a\0b', 'a\u{fffd}b'],
    ['\u{d800}', '\u{fffd}'],
    ['x\u{dc00}y', 'x\u{fffd}y'],
    ['', ''],
  ])('%j becomes %j', (given, stored) => {
    expect(cleanText(given, 100)).toBe(stored);
  });

  it('cuts without leaving half a character', () => {
    expect(cleanText('ab😀', 3)).toBe('ab\u{fffd}');
  });

  it('always gives text that UTF-8 carries unchanged', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const cleaned = cleanText(text, 50) ?? '';
        expect(cleaned).not.toContain('\0');
        expect(Buffer.from(cleaned).toString()).toBe(cleaned);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('cleanCount', () => {
  it.each([
    [1.6, 2],
    [-1, 0],
    [1e300, 2_147_483_647],
    [Number.POSITIVE_INFINITY, 2_147_483_647],
    [Number.NaN, undefined],
    [undefined, undefined],
  ])('%j becomes %j', (given, stored) => {
    expect(cleanCount(given)).toBe(stored);
  });
});

describe('cleanDecimal', () => {
  it.each([
    ['0.00012', '0.00012'],
    ['12', '12'],
    ['-1', undefined],
    ['1e3', undefined],
    ['NaN', undefined],
    ['1; drop', undefined],
    ['', undefined],
  ])('%j becomes %j', (given, stored) => {
    expect(cleanDecimal(given)).toBe(stored);
  });
});

describe('cleanJson', () => {
  it('cleans texts and names at every depth, and keeps the rest', () => {
    const given = { 'a\0': ['\u{d800}', { b: 'c\0' }, 1, null, true], d: '\\u0000 written out' };
    expect(cleanJson(given)).toEqual({
      'a\u{fffd}': ['\u{fffd}', { b: 'c\u{fffd}' }, 1, null, true],
      d: '\\u0000 written out',
    });
  });

  it('takes nothing for null', () => {
    expect(cleanJson(undefined)).toBeUndefined();
  });
});

it('hashes of a wrong length and integers out of range are refused by name', () => {
  expect(hashText(Buffer.from([1, 255]), 2, 'x')).toBe(String.raw`\x01ff`);
  expect(() => hashText(Buffer.alloc(15), 16, 'leafNode')).toThrow('leafNode must be 16 bytes, not 15');
  expect(() => checkedInteger(1.5, 'week')).toThrow('week must be an integer');
});
