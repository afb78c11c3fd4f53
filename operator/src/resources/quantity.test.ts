import { expect, it } from 'vitest';

import { bytesOf } from './quantity.ts';

it.each([
  ['2Gi', 2 * 1024 ** 3],
  ['512Mi', 512 * 1024 ** 2],
  ['1.5Ki', 1536],
  ['1Ki', 1024],
  ['500k', 500_000],
  ['3M', 3_000_000],
  ['2G', 2_000_000_000],
  ['1e9', 1_000_000_000],
  ['1.5E3', 1500],
  ['1E', 1e18],
  ['123', 123],
  ['1500m', 2],
])('reads %s as %i bytes', (quantity, bytes) => {
  expect(bytesOf(quantity)).toBe(bytes);
});

it.each(['', 'Gi', '2GiB', '2K', '-1', '1 Gi', '1e'])('refuses %j', (quantity) => {
  expect(() => bytesOf(quantity)).toThrow(RangeError);
});
