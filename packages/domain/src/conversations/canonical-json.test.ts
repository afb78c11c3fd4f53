import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeCanonically } from './canonical-json.ts';

function encode(value: unknown): string {
  const out: string[] = [];
  encodeCanonically(value, out);
  return out.join('');
}

describe('encodeCanonically', () => {
  it.each<[title: string, a: unknown, b: unknown]>([
    ['order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['cache_control', { type: 'text', cache_control: { type: 'ephemeral' } }, { type: 'text' }],
    ['nested cache_control', { content: [{ cache_control: 1, x: 2 }] }, { content: [{ x: 2 }] }],
    ['spelling of a number', JSON.parse('1.0e2'), 100],
    ['null and undefined', null, undefined],
  ])('does not depend on %s', (_title, a, b) => {
    expect(encode(a)).toBe(encode(b));
  });

  it.each<[title: string, a: unknown, b: unknown]>([
    ['a string and a number', '1', 1],
    ['null and false', null, false],
    ['true and false', true, false],
    ['an array and its only item', [1], 1],
    ['two strings and one', ['a', 'b'], ['ab']],
    ['a string with the look of an encoding', ['a"1:b'], ['a', 'b']],
    ['keys and values', { a: 'b' }, { b: 'a' }],
    ['an array and an object', [], {}],
    ['nesting', [[1], 2], [[1, 2]]],
    ['lone surrogates', '\ud83d', '\ud83e'],
    ['a lone surrogate and its escape', '\ud83d', String.raw`"\ud83d"`],
    ['cache_control of a tool', { input: { cache_control: 1 } }, { input: {} }],
    [
      'cache_control deep in the input of a tool',
      { input: { a: [{ cache_control: 1 }] } },
      { input: { a: [{}] } },
    ],
    ['own keys of the prototype', JSON.parse('{"__proto__":1}'), {}],
  ])('tells %s apart', (_title, a, b) => {
    expect(encode(a)).not.toBe(encode(b));
  });

  it('is equal exactly for equal values', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        // Minus zero is zero to the wire.
        const same = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        expect(encode(a) === encode(b)).toBe(same);
        expect(encode(a)).toBe(encode(sorted(a)));
      }),
      { seed: 20261123, numRuns: 1000 },
    );
  });

  it('takes a value nested 200,000 deep', () => {
    const deep: unknown = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000));
    expect(encode(deep)).toHaveLength(3 * 199_999 + 3);
    expect(encode(JSON.parse('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)))).toContain('#1;');
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
