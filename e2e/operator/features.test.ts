import { afterAll, describe, expect, test } from 'vitest';

import { installDefinition, removeDefinition } from '../fixtures/control-plane/definitions.ts';
import { Comparison } from './comparison.ts';
import { pairwise, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { complaints, withoutRetained } from './oracles.ts';
import { IS_FULL, SEED, sampleOf } from './sampling.ts';
import { setUp } from './set-up.ts';
import type { Choice } from './features.ts';
import type { OperatorProcess } from './operator-process.ts';

const KINDS = ['ServiceMonitor', 'PrometheusRule', 'Cluster'] as const;
const TRANSITIONS = 2;

/** Neighbours in the covering choices: each feature changes often, and each pair of options is met. */
const choices = pairwise();
const inWords = (choice: Choice): string => Object.values(choice).join(' ');
const transitions = choices.map((from, index) => {
  const to = choices[(index + 1) % choices.length] ?? from;
  return { from, to, words: `${inWords(from)} -> ${inWords(to)}` };
});

describe('features turned on and off', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    for (const kind of KINDS) await installDefinition(cluster.api(), kind);
    operator = await runOperator(cluster);
  });
  afterAll(async () => {
    await operator?.stop();
    for (const kind of KINDS) await removeDefinition(lab.cluster.api(), kind);
  });

  test.concurrent.for(sampleOf(transitions, TRANSITIONS))(
    `leave no trace but data (${IS_FULL ? 'all' : `seed ${SEED}`}): $words`,
    async ({ from, to, words }) => {
      const comparison = new Comparison(lab, (namespace) => prepareSecrets(lab.cluster.api(), namespace));
      const [before, after] = [specOf(from), specOf(to)];
      const ref = await comparison.install(before);
      const original = await comparison.settled(ref, before);
      await comparison.change(ref, after);
      const there = await comparison.withFresh(ref, after);
      expect(there.got).toEqual(there.fresh);
      await comparison.change(ref, before);
      const back = await comparison.settled(ref, before);
      expect(withoutRetained(back.state, original.state), `${words} and back`).toEqual(original.state);
      expect(back.atRest).toEqual([]);
    },
  );

  test('raise no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});
