import { afterAll, describe, expect, test } from 'vitest';
import * as fc from 'fast-check';

import { Comparison } from './comparison.ts';
import { FEATURES, choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath } from './oracles.ts';
import { IS_FULL, SEED } from './sampling.ts';
import { untilReady } from './resource.ts';
import { setUp } from './set-up.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import type { Choice } from './features.ts';
import type { ResourceRef } from './resource.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { OperatorProcess } from './operator-process.ts';

type Change = Partial<Choice> | Kind;

/** Has the fewest children. */
const SMALLEST = choiceOf({ networkPolicy: 'off', database: 'external', domains: 'none' });

const [WALKS, STEPS] = IS_FULL ? [20, 15] : [1, 5];

/** One feature takes an option, or one child of these kinds is deleted. */
const change: fc.Arbitrary<Change> = fc.oneof(
  ...Object.entries(FEATURES).flatMap(([feature, options]) =>
    Object.keys(options)
      // Needs CloudNativePG.
      .filter((option) => option !== 'cloudNativePG')
      .map((option) => fc.constant<Partial<Choice>>({ [feature]: option })),
  ),
  fc.constantFrom(KINDS.Deployment, KINDS.Service, KINDS.NetworkPolicy, KINDS.StatefulSet),
);

/** With `waits`, the operator has brought a step about before the next one; else it sees but the last of several. */
const step = fc.record({ change, waits: fc.boolean() });

/** A walk may begin anywhere, so that it leaves features as often as it takes them. */
const start = fc.record(
  Object.fromEntries(
    Object.entries(FEATURES).map(([feature, options]) => [
      feature,
      fc.constantFrom(...Object.keys(options).filter((option) => option !== 'cloudNativePG')),
    ]),
  ),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Choice>;

describe('random walks through specs', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    // A busy machine may cost it the lease; what that is for has tests of its own.
    operator = await runOperator(cluster, { env: { LEADER_ELECTION: 'false' } });
  });
  afterAll(() => operator?.stop());
  const comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));

  const expectAsFresh = async (ref: ResourceRef, choice: Choice): Promise<void> => {
    const { got, fresh } = await comparison.withFresh(ref, specOf(choice));
    expect(got).toEqual(fresh);
  };

  const take = async (ref: ResourceRef, choice: Choice, taken: Change): Promise<Choice> => {
    if ('plural' in taken) {
      const child = (await childrenOf(lab.cluster.api(), ref)).find(({ kind }) => kind === taken.kind);
      if (child !== undefined) {
        await lab.cluster.api().remove(`${kindPath(taken, ref.namespace)}/${child.metadata.name}`);
      }
      return choice;
    }
    const next = { ...choice, ...taken };
    await comparison.change(ref, specOf(next));
    return next;
  };

  test(
    'end where a fresh install of the last spec ends, and so does the way back to the smallest one',
    async () => {
      const steps = fc.array(step, { minLength: STEPS, maxLength: STEPS });
      const walk = fc.asyncProperty(start, steps, async (first, taken) => {
        let choice = first;
        const ref = await comparison.install(specOf(choice));
        await untilReady(lab.cluster.api(), ref);
        for (const { change: next, waits } of taken) {
          choice = await take(ref, choice, next);
          if (waits) await untilReady(lab.cluster.api(), ref);
        }
        await expectAsFresh(ref, choice);
        // Whatever the walk ended with has to go.
        await comparison.change(ref, specOf(SMALLEST));
        await expectAsFresh(ref, SMALLEST);
      });
      // Shrinking would install a hundred gateways; the seed is in the message.
      await fc.assert(walk, { numRuns: WALKS, seed: SEED, endOnFailure: true });
      expect(complaints(operator)).toEqual([]);
    },
    IS_FULL ? 3_600_000 : 120_000,
  );
});
