import { describe, expect, it } from 'vitest';

import { withoutNoise } from './noise.ts';

describe('withoutNoise', () => {
  it.each([
    ['plain text', 'Fix the bug', 'Fix the bug'],
    ['white space', '  Fix \n\n the\tbug \u00a0', 'Fix the bug'],
    ['a reminder', '<system-reminder>x</system-reminder>', ''],
    [
      'reminders around text',
      '<system-reminder>a</system-reminder>\nhi\n<system-reminder>b</system-reminder> there',
      'hi there',
    ],
    ['a reminder that is never closed', 'a <system-reminder> b', 'a <system-reminder> b'],
    ['an end without a start', 'a </system-reminder> b', 'a </system-reminder> b'],
    [
      'an end before the start',
      '</system-reminder>a<system-reminder>b',
      '</system-reminder>a<system-reminder>b',
    ],
    ['a start inside a reminder', '<system-reminder>a<system-reminder>b</system-reminder>c', 'c'],
    ['the attribution line', 'x-anthropic-billing-header: cc_version=2.1.330.abc;', ''],
    [
      'a quoted attribution line',
      'what is x-anthropic-billing-header: ?',
      'what is x-anthropic-billing-header: ?',
    ],
  ])('reads %s', (_title, text, expected) => {
    expect(withoutNoise(text)).toBe(expected);
  });

  it('makes a blank of every run of what is white space to a regular expression', () => {
    const characters = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code));
    const texts = characters.flatMap((space) => [
      `a${space}b`,
      `a ${space}b`,
      `a${space} b`,
      `${space}a${space}`,
    ]);
    expect(texts.filter((text) => withoutNoise(text) !== text.replaceAll(/\s+/g, ' ').trim())).toEqual([]);
  });

  // A quadratic scanner takes minutes for these.
  it.each([
    ['white space', ' '.repeat(2_000_000)],
    ['starts', '<system-reminder>'.repeat(100_000)],
    ['starts and white space', ' <system-reminder'.repeat(100_000)],
    ['ends', '</system-reminder>'.repeat(100_000)],
    ['pairs', '<system-reminder></system-reminder> '.repeat(50_000)],
  ])('is linear in a long run of %s', { timeout: 2000 }, (_title, text) => {
    expect(withoutNoise(text).length).toBeLessThanOrEqual(text.length);
  });
});
