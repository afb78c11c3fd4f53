import { describe, expect, it } from 'vitest';
import { UNKNOWN, formatBytes, formatDuration, formatMoney, shortId } from './format.ts';

describe('format', () => {
  it.each([
    [null, UNKNOWN],
    ['0', '$0.00'],
    ['0.00000325', '<$0.0001'],
    ['0.0123456', '$0.0123'],
    ['1.5', '$1.50'],
    ['1234.567', '$1234.57'],
  ])('shows the cost %s as %s', (usd, text) => {
    expect(formatMoney(usd)).toBe(text);
  });

  it.each([
    [null, UNKNOWN],
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min 0 s'],
    [185_000, '3 min 5 s'],
  ])('shows %s milliseconds as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [812, '812 B'],
    [76_234, '76.2 kB'],
    [2_100_000, '2.1 MB'],
  ])('shows %s bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('shortens long identifiers only', () => {
    expect(shortId('0193a1b2-0000-7000-8000-000000000000')).toBe('0193a1b2…');
    expect(shortId('short')).toBe('short');
    expect(shortId(null)).toBe(UNKNOWN);
  });
});
