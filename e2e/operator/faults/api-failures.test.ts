import { describe, expect, test } from 'vitest';

import { until } from '../../fixtures/program.ts';
import { complaints, creationsAndDeletions, stateOf } from '../oracles.ts';
import { setUp } from '../set-up.ts';
import { SHORT_TIMES, isWork, sitesOf } from './site.ts';
import type { Fault } from '../../fixtures/control-plane/fault-proxy.ts';
import type { Site } from './site.ts';

const SPEC = {
  proxy: { replicas: 2 },
  domains: [{ host: 'api.example.com', credential: { secretRef: { name: 'credentials', key: 'key' } } }],
};

const FIRST_WRITE_FAULTS: readonly (readonly [string, Fault])[] = [
  ['answered with 409', { kind: 'answer', status: 409, reason: 'Conflict' }],
  [
    'answered with 429 and Retry-After',
    { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: 1 },
  ],
  ['answered with 500', { kind: 'answer', status: 500, reason: 'InternalError' }],
  ['met by a reset connection', { kind: 'reset' }],
  ['carried out without an answer', { kind: 'lose' }],
];

describe('an operator whose API server fails', () => {
  const lab = setUp();
  const newSite = sitesOf(lab);
  let plain: { state: unknown; counts: unknown } | undefined;

  /** What an install comes to when nothing fails. */
  const withoutFaults = async (): Promise<{ state: unknown; counts: unknown }> => {
    plain ??= await install(await newSite());
    return plain;
  };

  test.for(FIRST_WRITE_FAULTS)('installs all the same when each first write is %s', async ([, fault]) => {
    const expected = await withoutFaults();
    const site = await newSite();
    const tried = new Set<string>();
    const rule = site.proxy.on((request) => {
      const what = `${request.verb} ${request.path}`;
      const isFirst = isWork(request) && !tried.has(what);
      if (isFirst) tried.add(what);
      return isFirst;
    }, fault);
    expect(await install(site)).toEqual(expected);
    expect(rule.hits).toBeGreaterThan(10);
    expect(complaints(site.operator, [/"reconcile failed"/])).toEqual([]);
  });

  test('waits as long as an overloaded API server asks', async () => {
    const site = await newSite();
    const times: number[] = [];
    site.proxy.on(
      (request) => {
        const isIt = request.verb === 'apply' && request.resource === 'statefulsets';
        if (isIt) times.push(performance.now());
        return isIt && times.length <= 2;
      },
      { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: 2 },
    );
    await install(site);
    const [first = 0, second = 0, third = 0] = times;
    // What is asked for must have passed; nothing is said about how much more.
    expect(second - first).toBeGreaterThanOrEqual(1990);
    expect(third - second).toBeGreaterThanOrEqual(1990);
  });

  test('gets over connections that are dead without a word, in the middle of an install', async () => {
    const expected = await withoutFaults();
    const site = await newSite(SHORT_TIMES);
    let release: (() => void) | undefined;
    site.proxy.on(
      { verb: 'apply', resource: 'services' },
      { kind: 'call', after: () => void (release = site.proxy.halfOpen()) },
      1,
    );
    const done = install(site);
    await until('the silence', async () => release && true);
    // Its requests have to run into their time limits.
    await site.operator.waitForLog('no answer from');
    release?.();
    expect(await done).toEqual(expected);
  });

  test('installs and changes while its watches end every second, cleanly, by a reset or as expired', async () => {
    const expected = await withoutFaults();
    const site = await newSite(SHORT_TIMES);
    const ends = [
      () => site.proxy.endWatches(),
      () => site.proxy.cutWatches(),
      () => site.proxy.endWatches({}, 'expired'),
    ];
    let round = 0;
    const timer = setInterval(() => ends[round++ % ends.length]?.(), 1000);
    try {
      const result = await install(site);
      await site.api.patch(site.path, { spec: { proxy: { replicas: 3 } } });
      await site.ready();
      await site.api.patch(site.path, { spec: { proxy: { replicas: 2 } } });
      await site.ready();
      await site.quiet();
      expect(result).toEqual(expected);
      expect(await stateOf(site.api, site.ref)).toEqual(result.state);
    } finally {
      clearInterval(timer);
    }
    expect(complaints(site.operator)).toEqual([]);
  });

  test.for([
    ['at once', { kind: 'answer', status: 410, reason: 'Expired' }],
    ['in the stream', { kind: 'expire' }],
  ] as const)('lists again when watches say %s that their place is too old', async ([, fault]) => {
    const expected = await withoutFaults();
    const site = await newSite(SHORT_TIMES);
    const rule = site.proxy.on({ verb: 'watch' }, fault, 30);
    site.proxy.cutWatches();
    expect(await install(site)).toEqual(expected);
    expect(rule.hits).toBeGreaterThan(10);
  });

  test('is not alive once it has heard nothing for longer than it may, and alive again afterwards', async () => {
    const site = await newSite(SHORT_TIMES);
    expect(await site.operator.health('livez')).toEqual({ status: 200, text: 'ok\n' });
    const release = site.proxy.halfOpen();
    const sick = await until('/livez to fail', async () => {
      const answer = await site.operator.health('livez');
      return answer.status === 503 ? answer.text : undefined;
    });
    expect(sick).toMatch(/^nothing heard from the API server for \d+ s\n$/);
    release();
    await until('/livez to be well', async () =>
      (await site.operator.health('livez')).status === 200 ? true : undefined,
    );
  });
});

/** Installs to the end. @returns what it came to (O1, O4) and how often what was made (O3) */
async function install(site: Site): Promise<{ state: unknown; counts: unknown }> {
  const mark = await site.cluster.auditMark();
  await site.create(SPEC);
  await site.ready();
  await site.quiet();
  return {
    state: await stateOf(site.api, site.ref),
    counts: await creationsAndDeletions(site.cluster, mark, site.namespace),
  };
}
