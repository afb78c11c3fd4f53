import { describe, expect, it } from 'vitest';

import { summaryLines } from './results.ts';
import { resultOf, STEPS } from './steps.ts';
import type { Step } from './steps.ts';

const step = (name: string): Step => STEPS.find((candidate) => candidate.name === name) as Step;
const nothing = { passed: 0, failures: [], skipped: [] };

describe('resultOf', () => {
  it.each([
    ['a check that succeeds', 'types', 0, undefined, { ...nothing, passed: 1 }],
    [
      'a check that fails',
      'types',
      2,
      undefined,
      { ...nothing, failures: ['types: tsc -b ended with exit code 2'] },
    ],
    [
      'a check that is killed',
      'types',
      null,
      undefined,
      { ...nothing, failures: ['types: tsc -b was killed'] },
    ],
    ['tests that pass', 'unit', 0, { ...nothing, passed: 7 }, { ...nothing, passed: 7 }],
    ['tests that fail', 'unit', 1, { ...nothing, failures: ['x'] }, { ...nothing, failures: ['x'] }],
    [
      'a run that fails without a failed test',
      'unit',
      1,
      { ...nothing, passed: 7 },
      { passed: 7, failures: ['unit: vitest ended with exit code 1'], skipped: [] },
    ],
    [
      'a run without a report',
      'unit',
      0,
      undefined,
      { ...nothing, failures: ['unit: vitest reported nothing and ended with exit code 0'] },
    ],
  ])('of %s', (...[, name, code, reported, expected]) => {
    expect(resultOf(step(name), { code, reported })).toEqual(expected);
  });
});

describe('summaryLines', () => {
  it('ends with the counts, and the skipped tests with their reasons on the line before', () => {
    const results = [
      { passed: 3, failures: ['a'], skipped: ['x (no browser)', 'y (no cluster)'] },
      { passed: 4, failures: [], skipped: [] },
    ];
    expect(summaryLines(results)).toEqual([
      'FAILED a',
      '2 skipped: x (no browser); y (no cluster)',
      '7 passed, 1 failed',
    ]);
  });

  it('says so when nothing was skipped', () => {
    expect(summaryLines([])).toEqual(['0 skipped', '0 passed, 0 failed']);
  });
});
