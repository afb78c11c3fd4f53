import { describe, expect, it } from 'vitest';

import { Backoff } from './backoff.ts';
import { terminalLine } from './output.ts';

describe('terminalLine', () => {
  it.each([
    ['{"level":"info","msg":"listening"}', undefined],
    ['{"level":"warn","msg":"PORTT is not a setting"}', 'PORTT is not a setting'],
    ['{"level":"error","msg":"cannot ship","err":{"message":"refused"}}', 'cannot ship: refused'],
    ['proxy: cannot listen', 'proxy: cannot listen'],
    ['{"no":"log line"}', '{"no":"log line"}'],
    ['{broken', '{broken'],
    ['', undefined],
  ])('of %j is %j', (line, shown) => {
    expect(terminalLine(line)).toBe(shown);
  });
});

describe('Backoff', () => {
  it('doubles up to half a minute and starts over after a stable minute', () => {
    const backoff = new Backoff();
    const waits = Array.from({ length: 8 }, () => backoff.after(10));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(backoff.after(60_000)).toBe(500);
  });
});
