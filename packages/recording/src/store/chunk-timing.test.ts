import { expect, it } from 'vitest';
import { decodeChunks, encodeChunks } from './chunk-timing.ts';

it.each([
  ['no chunks', [], []],
  ['one', [12, 300], [12, 300]],
  ['several', [0, 1, 0, 70_000, 250, 16_384, 3_600_000, 2], [0, 1, 0, 70_000, 250, 16_384, 3_600_000, 2]],
  ['fractions of a millisecond', [0.4, 5, 1.6, 6], [0, 5, 2, 6]],
  ['a clock that goes back', [10, 5, 7, 6, 12, 7], [10, 5, 10, 6, 12, 7]],
])('a series of %s is read back', (_, chunks, expected) => {
  expect(decodeChunks(encodeChunks(chunks))).toEqual(expected);
});

it('two bytes are enough for a small chunk that follows at once', () => {
  expect(encodeChunks(Array.from({ length: 200 }, (_, i) => [i * 20, 100]).flat())).toHaveLength(400);
});
