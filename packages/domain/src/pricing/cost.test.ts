import type { Usage } from '@claude-nexus/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { costUsd } from './cost.ts';
import { PRICES } from './prices.ts';

const NOW = Date.UTC(2026, 10, 23);
const MILLION = 1_000_000;
const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearchRequests: 0,
  webFetchRequests: 0,
  thinkingTokens: 0,
};

function cost(model: string, usage: Partial<Usage>, at: Date | number = NOW): string | undefined {
  return costUsd({ ...NO_USAGE, ...usage }, { model, at });
}

/** Published prices per million tokens: in, out, 5m write, 1h write, read. */
const TABLE: [model: string, prices: [string, string, string, string, string]][] = [
  ['claude-fable-5-2', ['8', '40', '10', '16', '0.2']],
  ['claude-fable-5-1', ['10', '50', '12.5', '20', '0.25']],
  ['claude-fable-5', ['10', '50', '12.5', '20', '1']],
  ['claude-opus-5-5', ['4', '20', '5', '8', '0.2']],
  ['claude-opus-5', ['5', '25', '6.25', '10', '0.5']],
  ['claude-opus-4-8', ['5', '25', '6.25', '10', '0.5']],
  ['claude-opus-4-7', ['5', '25', '6.25', '10', '0.5']],
  ['claude-opus-4-6', ['5', '25', '6.25', '10', '0.5']],
  ['claude-opus-4-5-20251101', ['5', '25', '6.25', '10', '0.5']],
  ['claude-sonnet-5-5', ['2', '10', '2.5', '4', '0.1']],
  ['claude-sonnet-5', ['2', '10', '2.5', '4', '0.2']],
  ['claude-sonnet-4-6', ['3', '15', '3.75', '6', '0.3']],
  ['claude-sonnet-4-5-20250929', ['3', '15', '3.75', '6', '0.3']],
  ['claude-haiku-4-5-20251001', ['1', '5', '1.25', '2', '0.1']],
  ['claude-opus-4-1-20250805', ['15', '75', '18.75', '30', '1.5']],
  ['claude-opus-4-20250514', ['15', '75', '18.75', '30', '1.5']],
  ['claude-opus-4-0', ['15', '75', '18.75', '30', '1.5']],
  ['claude-3-5-haiku-20241022', ['0.8', '4', '1', '1.6', '0.08']],
  ['claude-3-5-haiku-latest', ['0.8', '4', '1', '1.6', '0.08']],
  ['claude-haiku-3-5', ['0.8', '4', '1', '1.6', '0.08']],
];

/** A decimal string as a whole number of pico-dollars. */
function pico(usd = '0'): bigint {
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
}

describe('costUsd', () => {
  it.each(TABLE)('prices %s as published', (model, prices) => {
    const costs = [
      cost(model, { inputTokens: MILLION }),
      cost(model, { outputTokens: MILLION }),
      cost(model, { cacheWrite5mTokens: MILLION }),
      cost(model, { cacheWrite1hTokens: MILLION }),
      cost(model, { cacheReadTokens: MILLION }),
    ];
    expect(costs).toEqual(prices);
  });

  it.each<[model: string, total: string]>([
    ['claude-opus-5-5', '0.372'],
    ['claude-sonnet-5-5', '0.186'],
    ['claude-haiku-5-5', '0.00935'],
    ['claude-haiku-4-5', '0.0935'],
    ['claude-fable-5-2', '0.742'],
  ])('agrees with the client on 10,000 tokens of each class of %s', (model, total) => {
    const tenThousand = {
      inputTokens: 10_000,
      outputTokens: 10_000,
      cacheReadTokens: 10_000,
      cacheWrite5mTokens: 10_000,
      cacheWrite1hTokens: 10_000,
    };
    expect(cost(model, tenThousand)).toBe(total);
  });

  it.each([
    ['before', Date.UTC(2026, 9, 7) - 1, '0.2'],
    ['from', Date.UTC(2026, 9, 7), '0.1'],
    ['long before', new Date(0), '0.2'],
  ])('prices cache reads of Sonnet 5.5 %s the change of price', (_when, at, expected) => {
    expect(cost('claude-sonnet-5-5', { cacheReadTokens: MILLION }, at)).toBe(expected);
  });

  it.each<[title: string, usage: Partial<Usage>, expected: string]>([
    ['at the edge', { inputTokens: 100_000 }, '0.01'],
    ['one token beyond', { inputTokens: 100_001 }, '0.0500005'],
    [
      'counting cache reads and writes',
      { inputTokens: 1, cacheReadTokens: 50_000, cacheWrite5mTokens: 25_000, cacheWrite1hTokens: 25_000 },
      '0.0431255',
    ],
    ['not counting output', { inputTokens: 100_000, outputTokens: 100_000 }, '0.06'],
    ['with all of its output', { inputTokens: 100_001, outputTokens: 100_000 }, '0.3000005'],
  ])('chooses the tier of Haiku 5.5 by the length of the prompt, %s', (_title, usage, expected) => {
    expect(cost('claude-haiku-5-5', usage)).toBe(expected);
  });

  it.each<[title: string, model: string, usage: Partial<Usage>, expected: string | undefined]>([
    ['doubles fast Opus 5.5', 'claude-opus-5-5', { inputTokens: MILLION, speed: 'fast' }, '8'],
    ['doubles the output of fast Opus 5', 'claude-opus-5', { outputTokens: MILLION, speed: 'fast' }, '50'],
    ['knows standard speed', 'claude-opus-5', { outputTokens: MILLION, speed: 'standard' }, '25'],
    [
      'has no price for a speed that is not sold',
      'claude-sonnet-5-5',
      { inputTokens: 1, speed: 'fast' },
      undefined,
    ],
    ['has no price for an unknown speed', 'claude-opus-5-5', { inputTokens: 1, speed: 'warp' }, undefined],
    ['adds a tenth for US inference', 'claude-opus-5-5', { inputTokens: MILLION, inferenceGeo: 'us' }, '4.4'],
    ['knows global inference', 'claude-opus-5-5', { inputTokens: MILLION, inferenceGeo: 'global' }, '4'],
    [
      'knows inference without geography',
      'claude-opus-5-5',
      { inputTokens: MILLION, inferenceGeo: 'not_available' },
      '4',
    ],
    [
      'has no price for an unknown geography',
      'claude-opus-5-5',
      { inputTokens: 1, inferenceGeo: 'moon' },
      undefined,
    ],
    [
      'does not charge for priority',
      'claude-opus-5-5',
      { inputTokens: MILLION, serviceTier: 'priority' },
      '4',
    ],
    ['halves a batch', 'claude-opus-5-5', { inputTokens: MILLION, serviceTier: 'batch' }, '2'],
    [
      'has no price for an unknown tier',
      'claude-opus-5-5',
      { inputTokens: 1, serviceTier: 'gold' },
      undefined,
    ],
    [
      'combines factors exactly',
      'claude-haiku-5-5',
      { cacheReadTokens: 1, inferenceGeo: 'us', serviceTier: 'batch' },
      '0.0000000055',
    ],
    ['charges a cent per web search', 'claude-opus-5-5', { webSearchRequests: 3 }, '0.03'],
    [
      'does not discount web searches',
      'claude-opus-5-5',
      { webSearchRequests: 1, serviceTier: 'batch' },
      '0.01',
    ],
    ['does not charge for web fetches', 'claude-opus-5-5', { webFetchRequests: 9 }, '0'],
    ['does not charge thinking twice', 'claude-opus-5-5', { outputTokens: 100, thinkingTokens: 90 }, '0.002'],
    [
      'has no price for cache writes that have none',
      'claude-mythos-5-2',
      { cacheWrite5mTokens: 1 },
      undefined,
    ],
    [
      'prices what else that model uses',
      'claude-mythos-5-2',
      { inputTokens: MILLION, cacheReadTokens: MILLION },
      '8.2',
    ],
  ])('%s', (_title, model, usage, expected) => {
    expect(cost(model, usage)).toBe(expected);
  });

  it.each([
    'claude-opus-9',
    'claude-opus-5-5-turbo',
    'claude',
    '',
    'constructor',
    'gpt-5',
    'opus',
    'claude-opus-5-5[1m]',
  ])('has no price for model %j', (model) => {
    expect(cost(model, { inputTokens: 1 })).toBeUndefined();
  });

  it('has no price where the model is not known', () => {
    expect(costUsd(NO_USAGE, { model: undefined, at: NOW })).toBeUndefined();
  });

  it('is exact for counts that binary fractions would round', () => {
    expect(cost('claude-opus-4-1', { cacheWrite5mTokens: 9_007_199_254_740_991 })).toBe(
      '168884986026.39358125',
    );
  });

  it('adds up: the cost of a sum of usages is the sum of their costs', () => {
    const count = fc.nat(50_000);
    const part = fc.record({
      inputTokens: count,
      outputTokens: count,
      cacheReadTokens: count,
      webSearchRequests: fc.nat(5),
    });
    const model = fc.constantFrom(...Object.keys(PRICES).filter((name) => name !== 'claude-haiku-5-5'));
    fc.assert(
      fc.property(model, part, part, (name, a, b) => {
        const sum = {
          inputTokens: a.inputTokens + b.inputTokens,
          outputTokens: a.outputTokens + b.outputTokens,
          cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
          webSearchRequests: a.webSearchRequests + b.webSearchRequests,
        };
        expect(pico(cost(name, sum))).toBe(pico(cost(name, a)) + pico(cost(name, b)));
      }),
      { seed: 20261123, numRuns: 500 },
    );
  });
});

describe('PRICES', () => {
  it('lists the rows of every model from the oldest on', () => {
    for (const rows of Object.values(PRICES)) {
      expect(rows.map(({ from }) => from)).toEqual(rows.map(({ from }) => from).toSorted((a, b) => a - b));
    }
  });

  it('holds whole nano-dollars only', () => {
    const prices = Object.values(PRICES).flatMap((rows) =>
      rows.flatMap((row) => [row.prices, row.longPrompt?.prices ?? {}]),
    );
    expect(
      prices.flatMap((price) => Object.values(price)).every((price) => Number.isSafeInteger(price)),
    ).toBe(true);
  });
});
