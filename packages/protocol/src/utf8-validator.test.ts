import { isUtf8 } from 'node:buffer';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Utf8Validator } from './utf8-validator.ts';

function isValid(chunks: Buffer[]): boolean {
  const validator = new Utf8Validator();
  for (const chunk of chunks) validator.push(chunk);
  validator.end();
  return validator.valid;
}

describe('Utf8Validator', () => {
  it('judges a stream as isUtf8 judges the whole, wherever it is cut', () => {
    const piece = fc.constantFrom<number[]>(
      [0x61],
      [...Buffer.from('ü')],
      [...Buffer.from('€')],
      [...Buffer.from('😀')],
      [0x80],
      [0xc0],
      [0xe2, 0x82],
      [0xf0, 0x9f],
      [0xed, 0xa0, 0x80],
      [0xff],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(24), fc.nat(24), (pieces, first, second) => {
        const bytes = Buffer.from(pieces.flat());
        const [from, to] = [Math.min(first, second), Math.max(first, second)];
        const chunks = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)];
        expect(isValid(chunks)).toBe(isUtf8(bytes));
      }),
      { seed: 20261123, numRuns: 3000 },
    );
  });
});
