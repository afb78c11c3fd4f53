import { describe, expect, test } from 'vitest';

import { until } from '../../fixtures/program.ts';
import { Random } from '../../fixtures/random.ts';
import { childrenOf, stateOf } from '../oracles.ts';
import { IS_FULL } from '../sampling.ts';
import { setUp } from '../set-up.ts';
import { STEPS } from './crash-walk.ts';
import { isWork, sitesOf } from './site.ts';
import type { Crash, Moment, Step } from './crash-walk.ts';
import type { Site } from './site.ts';

const SEED = Number(process.env['OPERATOR_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const MOMENTS: readonly Moment[] = ['answered', 'unanswered'];
/** Sites at the same time. */
const BATCH = 4;

/** What outlives a resource whose data is retained. */
const DATA =
  /^(PersistentVolumeClaim\/(data-nexus-postgres-0|nexus-backup)|Secret\/nexus-postgres-password)$/;

interface Case {
  readonly step: Step;
  readonly crash: Crash;
}

const steps = STEPS.slice(0, 2);
const [install] = steps;

async function make(site: Site): Promise<void> {
  await install?.begin(site);
  await site.ready();
  await site.quiet();
}

/** The resource is deleted when a write comes; the operator is killed before the write or after it, which then is late. */
async function deleteAndKill(site: Site, { step, crash }: Case): Promise<void> {
  let writes = 0;
  let isDeleted = false;
  let isDead = false;
  const remove = async () => {
    isDeleted = true;
    await site.api.remove(site.path, { propagationPolicy: 'Background' });
  };
  const kill = async () => {
    isDead = true;
    await site.operator.stop('SIGKILL');
  };
  const rule = site.proxy.on(isWork, {
    kind: 'call',
    before: async () => {
      writes += 1;
      if (writes === crash.write) await remove();
      if (writes === crash.write && crash.moment === 'answered') await kill();
      if (isDead) throw new Error('the operator is dead');
    },
    after: async () => {
      if (writes === crash.write && crash.moment === 'unanswered') await kill();
    },
  });
  await step.begin(site);
  await until(`the crash in ${step.name}`, async () => {
    if (isDeleted) return isDead ? true : undefined;
    // Where there are fewer writes it is killed at rest.
    const isOver = (await site.readyNow().catch(() => undefined)) !== undefined && site.isQuiet();
    if (isOver && !isDeleted) {
      await remove();
      await kill();
    }
    return undefined;
  });
  rule.release();
}

async function untilDataIsLeft(site: Site): Promise<void> {
  let left: string[] = [];
  await until('all but data to be gone', async () => {
    const children = await childrenOf(site.api, site.ref);
    left = children.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    return left.every((key) => DATA.test(key)) ? true : undefined;
  }).catch(() => undefined);
  expect(left.filter((key) => !DATA.test(key))).toEqual([]);
}

const everyWrite = (step: Step): Case[] =>
  MOMENTS.flatMap((moment) =>
    Array.from({ length: step.writes }, (_, index) => ({ step, crash: { moment, write: index + 1 } })),
  );

describe(`a resource that is deleted while the operator is killed at a write (OPERATOR_SEED=${SEED})`, () => {
  const lab = setUp();
  const newSite = sitesOf(lab);
  const random = new Random(SEED);

  const anyWrite = (step: Step): Case[] => [
    { step, crash: { moment: random.pick(MOMENTS), write: 1 + random.below(step.writes) } },
  ];
  const cases = steps.flatMap((step) => (IS_FULL ? everyWrite(step) : anyWrite(step)));

  const walk = async (crashed: Case): Promise<Readonly<Record<string, unknown>>> => {
    const site = await newSite();
    if (crashed.step !== install) await make(site);
    await deleteAndKill(site, crashed);
    await site.restart();
    await untilDataIsLeft(site);
    await site.quiet();
    await untilDataIsLeft(site);
    await make(site);
    return stateOf(site.api, site.ref);
  };

  test(
    'leaves its data alone, with which it can be made anew',
    async () => {
      const fresh = await newSite();
      await make(fresh);
      const expected = await stateOf(fresh.api, fresh.ref);
      for (let first = 0; first < cases.length; first += BATCH) {
        const batch = cases.slice(first, first + BATCH);
        const states = await Promise.all(batch.map((crashed) => walk(crashed)));
        for (const [index, state] of states.entries()) {
          const { step, crash } = batch[index] ?? {};
          expect(state, `${step?.name}, write ${crash?.write}, ${crash?.moment}`).toEqual(expected);
        }
      }
    },
    IS_FULL ? 3_600_000 : 200_000,
  );
});
