import { describe, expect, it } from 'vitest';

import { rollupBucket, weekOf, weekStart } from './time-buckets.ts';

describe('weekOf', () => {
  it.each([
    ['1969-12-29T00:00:00.000Z', 0],
    ['1970-01-04T23:59:59.999Z', 0],
    ['1970-01-05T00:00:00.000Z', 1],
    ['1969-12-28T23:59:59.999Z', -1],
    ['2026-11-22T23:59:59.999Z', 2968],
    ['2026-11-23T00:00:00.000Z', 2969],
  ])('puts %s into week %i', (time, week) => {
    expect(weekOf(Date.parse(time))).toBe(week);
  });

  it('begins every week on a Monday', () => {
    for (let week = -3; week < 3000; week += 7) {
      expect(new Date(weekStart(week)).getUTCDay()).toBe(1);
      expect(weekOf(weekStart(week))).toBe(week);
      expect(weekOf(weekStart(week) - 1)).toBe(week - 1);
    }
  });
});

describe('rollupBucket', () => {
  it.each([
    ['2026-11-23T10:14:59.999Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:15:00.000Z', '2026-11-23T10:15:00.000Z'],
    ['2026-11-23T18:15:00.001Z', '2026-11-23T18:15:00.000Z'],
  ])('puts %s into the bucket of %s', (time, bucket) => {
    expect(rollupBucket(Date.parse(time))).toBe(Date.parse(bucket));
  });
});
