import { afterAll, describe, expect, test } from 'vitest';
import * as fc from 'fast-check';

import { Comparison } from './comparison.ts';
import { FEATURES, choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath } from './oracles.ts';
import { IS_FULL, SEED } from './sampling.ts';
import { setUp } from './set-up.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import type { Choice } from './features.ts';
import type { OperatorProcess } from './operator-process.ts';

const [WALKS, STEPS] = IS_FULL ? [20, 15] : [1, 5];

/** One feature takes an option, or one child of these kinds is deleted; nobody waits for the operator in between. */
const step = fc.oneof(
  ...Object.entries(FEATURES).flatMap(([feature, options]) =>
    Object.keys(options)
      // Needs CloudNativePG.
      .filter((option) => option !== 'cloudNativePG')
      .map((option) => fc.constant<Partial<Choice>>({ [feature]: option })),
  ),
  fc.constantFrom(KINDS.Deployment, KINDS.Service, KINDS.NetworkPolicy, KINDS.StatefulSet),
);

describe('random walks through specs', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    operator = await runOperator(cluster);
  });
  afterAll(() => operator?.stop());
  const comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));

  test(
    'end where a fresh install of the last spec ends',
    async () => {
      const walk = fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
        let choice = choiceOf();
        const ref = await comparison.install(specOf(choice));
        for (const next of steps) {
          if ('plural' in next) {
            const child = (await childrenOf(lab.cluster.api(), ref)).find(({ kind }) => kind === next.kind);
            if (child === undefined) continue;
            await lab.cluster.api().remove(`${kindPath(next, ref.namespace)}/${child.metadata.name}`);
          } else {
            choice = { ...choice, ...next };
            await comparison.change(ref, specOf(choice));
          }
        }
        const { got, fresh } = await comparison.withFresh(ref, specOf(choice));
        expect(got).toEqual(fresh);
      });
      // Shrinking would install a hundred gateways; the seed is in the message.
      await fc.assert(walk, { numRuns: WALKS, seed: SEED, endOnFailure: true });
      expect(complaints(operator)).toEqual([]);
    },
    IS_FULL ? 1_800_000 : 120_000,
  );
});
