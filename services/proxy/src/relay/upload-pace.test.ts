import { describe, expect, it } from 'vitest';

import { UploadPace } from './upload-pace.ts';

const GRACE_MS = 5000;
const PACE = 64 * 1024;

/** A client that sends `bytes` each second, so many times. @returns whether it is behind */
function behindAfter(seconds: number, bytes: number): boolean {
  const pace = new UploadPace(GRACE_MS, 0);
  for (let second = 1; second <= seconds; second++) pace.came(bytes, second * 1000);
  return pace.behindMs(seconds * 1000) > 0;
}

describe('a client that sends a body', () => {
  it.each([
    ['a minute at the pace', 60, PACE, false],
    ['an hour at ten times the pace', 3600, 10 * PACE, false],
    ['a pause within the grace', 5, 0, false],
    ['a pause beyond the grace', 6, 0, true],
    ['a trickle for as long as the grace', 5, 1, false],
    ['a trickle for longer', 6, 1, true],
    ['half the pace for twice the grace', 10, PACE / 2, false],
    ['half the pace for longer', 12, PACE / 2, true],
  ])('%s', (_, seconds, bytes, behind) => {
    expect(behindAfter(seconds, bytes)).toBe(behind);
  });

  it('saves up no more time than the grace by sending fast', () => {
    const pace = new UploadPace(GRACE_MS, 0);
    pace.came(1000 * PACE, 1000);
    expect(pace.behindMs(1000 + GRACE_MS)).toBe(0);
    expect(pace.behindMs(1001 + GRACE_MS)).toBe(1);
  });

  it('is not behind for what others held up', () => {
    const pace = new UploadPace(GRACE_MS, 0);
    pace.excuse(60_000);
    expect(pace.behindMs(60_000)).toBe(-GRACE_MS);
  });
});
