import { isDeepStrictEqual } from 'node:util';

import { afterAll, describe, expect, test } from 'vitest';

import { installDefinition, removeDefinition } from '../fixtures/control-plane/definitions.ts';
import { Comparison } from './comparison.ts';
import { prepareSecrets } from './features.ts';
import { runOperator } from './operator-process.ts';
import { complaints, withoutRetained } from './oracles.ts';
import { putSecret, untilReady } from './resource.ts';
import { IS_FULL, SEED, sampleOf } from './sampling.ts';
import { setUp } from './set-up.ts';
import { everything, places } from './spec-places.ts';
import { FIXED, ONE_WAY } from './spec-values.ts';
import type { Api } from '../fixtures/control-plane/api.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { Place } from './spec-places.ts';

const KINDS = ['ServiceMonitor', 'PrometheusRule', 'Cluster'] as const;
const SAMPLE = 3;

const all = places();
const walked = all.filter(({ path }) => FIXED[path] === undefined);

/** Secrets that have whatever a spec may refer to. */
async function prepare(api: Api, namespace: string): Promise<void> {
  await prepareSecrets(api, namespace);
  for (const name of ['one', 'two', 'clients-one', 'clients-two']) {
    const url = (user: string): string => `postgresql://${user}:of-the-tests@${name}.example.com:5432/nexus`;
    await putSecret(
      api,
      { namespace, name },
      {
        one: `sk-ant-api03-of-the-tests-${name}-one`,
        two: `sk-ant-api03-of-the-tests-${name}-two`,
        ownerUrl: url('owner'),
        proxyUrl: url('proxy'),
        dashboardUrl: url('dashboard'),
      },
    );
  }
}

describe('every field of the spec', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    for (const kind of KINDS) await installDefinition(cluster.api(), kind);
    // A busy machine may cost it the lease; what that is for has tests of its own.
    operator = await runOperator(cluster, { env: { LEADER_ELECTION: 'false' } });
  });
  afterAll(async () => {
    await operator?.stop();
    for (const kind of KINDS) await removeDefinition(lab.cluster.api(), kind);
  });

  /** Changes a spec in steps and back. Each time it must end as if nothing had been before. */
  const changeAndBack = async ({ path, base, changed }: Place) => {
    const comparison = new Comparison(lab, (namespace) => prepare(lab.cluster.api(), namespace));
    const ref = await comparison.install(base);
    const { state: original } = await comparison.settled(ref, base);
    for (const spec of changed.slice(0, -1)) {
      await comparison.change(ref, spec);
      await untilReady(lab.cluster.api(), ref);
    }
    const last = changed.at(-1) ?? base;
    await comparison.change(ref, last);
    const { got, fresh } = await comparison.withFresh(ref, last);
    const hasEffect = !isDeepStrictEqual(got, { ...original, 'writes at rest': [] });
    const there = { got: { ...got, hasEffect }, expected: { ...fresh, hasEffect: true } };
    if (ONE_WAY[path] !== undefined) return [there];
    await comparison.change(ref, base);
    const { state, atRest } = await comparison.settled(ref, base);
    return [
      there,
      { got: { ...withoutRetained(state, original), atRest }, expected: { ...original, atRest: [] } },
    ];
  };

  test.concurrent.for(sampleOf(walked, SAMPLE))(
    `leaves no trace when it is taken back (${IS_FULL ? 'all' : `seed ${SEED}`}): $path`,
    async (place) => {
      for (const { got, expected } of await changeAndBack(place)) expect(got).toEqual(expected);
    },
  );

  test.concurrent('leaves no trace when all are taken back at once', async () => {
    const place = { path: 'everything', base: {}, changed: [everything(0), everything(1)] };
    for (const { got, expected } of await changeAndBack(place)) expect(got).toEqual(expected);
  });

  test('is walked, or named with the reason why not', () => {
    const known = new Set(all.map(({ path }) => path));
    expect([...Object.keys(FIXED), ...Object.keys(ONE_WAY)].filter((path) => !known.has(path))).toEqual([]);
    expect(known.size).toBeGreaterThan(100);
  });

  test('raises no error', () => {
    expect(complaints(operator)).toEqual([]);
  });
});
