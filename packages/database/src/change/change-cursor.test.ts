import { expect, it } from 'vitest';

import { compareChangeCursors, isChangeCursor, parseChangeCursor } from './change-cursor.ts';

it.each([
  ['1-2', '1-2', 0],
  ['1-2', '1-10', -1],
  ['10-1', '9-99', 1],
  ['9007199254740993-1', '9007199254740992-1', 1],
])('%s against %s is %i', (a, b, order) => {
  expect(compareChangeCursors(a, b)).toBe(order);
});

it.each([
  ['12-0', true],
  ['12', false],
  ['12.0', false],
  ['١-٢', false],
])('%s is a cursor: %s', (text, is) => {
  expect(isChangeCursor(text)).toBe(is);
});

it.each(['', '1', '1-', '-1-2', '1-2-3', 'x-y', '99999999999999999999-1'])(
  '%j is refused as a cursor',
  (text) => {
    expect(() => parseChangeCursor(text)).toThrow('cursor must be a position like 1234-5');
  },
);
