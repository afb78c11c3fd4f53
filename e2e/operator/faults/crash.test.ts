import { describe, expect, test } from 'vitest';

import { Random } from '../../fixtures/random.ts';
import { setUp } from '../set-up.ts';
import { STEPS, walk } from './crash-walk.ts';
import { sitesOf } from './site.ts';
import type { Crash, Moment, StepResult } from './crash-walk.ts';

const SEED = Number(process.env['OPERATOR_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const IS_FULL = process.env['OPERATOR_TESTS'] === 'full';
const MOMENTS: readonly Moment[] = ['answered', 'unanswered'];

describe(`an operator that is killed at any write (OPERATOR_SEED=${SEED})`, () => {
  const lab = setUp();
  const newSite = sitesOf(lab);
  const random = new Random(SEED);

  /** For each round walks with a crash in every step: at all writes in turn, or at one of them. */
  const rounds = IS_FULL ? Math.max(...STEPS.map(({ writes }) => writes)) : 1;
  const crashes = (round: number): Crash[][] =>
    IS_FULL
      ? MOMENTS.map((moment) => STEPS.map(({ writes }) => ({ moment, write: 1 + (round % writes) })))
      : [STEPS.map(({ writes }) => ({ moment: random.pick(MOMENTS), write: 1 + random.below(writes) }))];

  test(
    'leaves after every step what one that was never killed leaves, made and deleted as often',
    async () => {
      const plain = newSite().then((site) => walk(site));
      for (let round = 0; round < rounds; round += 1) {
        const walks = crashes(round).map(async (crashed) => walk(await newSite(), crashed));
        const [expected, ...results] = await Promise.all([plain, ...walks]);
        for (const result of results) expect(result).toEqual(asIn(expected, result));
      }
    },
    IS_FULL ? 7_200_000 : 400_000,
  );
});

/** What a walk with crashes must come to. */
function asIn(plain: readonly StepResult[], crashed: readonly StepResult[]): readonly StepResult[] {
  return crashed.map((result, index) => {
    const { state, counts } = plain[index] ?? result;
    return { ...result, state, counts };
  });
}
