import { describe, expect, it } from 'vitest';

import { usage as started } from './testing/stream.ts';
import { UsageAccumulator } from './usage.ts';
import type { Usage } from './usage.ts';

const NONE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearchRequests: 0,
  webFetchRequests: 0,
  thinkingTokens: 0,
};
const STARTED: Usage = {
  ...NONE,
  inputTokens: 3,
  outputTokens: 1,
  cacheReadTokens: 4000,
  cacheWrite5mTokens: 20,
  cacheWrite1hTokens: 100,
  serviceTier: 'standard',
  inferenceGeo: 'global',
};

describe('UsageAccumulator', () => {
  it.each<[title: string, deltas: unknown[], expected: Usage]>([
    ['takes the breakdown, tier and geography of message_start', [], STARTED],
    [
      'lets the last cumulative value win',
      [{ output_tokens: 50 }, { output_tokens: 80 }],
      { ...STARTED, outputTokens: 80 },
    ],
    [
      'keeps what null or absent fields do not tell',
      [
        {
          input_tokens: null,
          cache_read_input_tokens: null,
          cache_creation_input_tokens: null,
          output_tokens: 9,
        },
      ],
      { ...STARTED, outputTokens: 9 },
    ],
    [
      'follows input that server tools raise later',
      [
        {
          input_tokens: 10682,
          output_tokens: 510,
          server_tool_use: { web_search_requests: 1, web_fetch_requests: 2 },
        },
      ],
      { ...STARTED, inputTokens: 10682, outputTokens: 510, webSearchRequests: 1, webFetchRequests: 2 },
    ],
    [
      'keeps server tool counts that a later event does not tell',
      [
        { server_tool_use: { web_search_requests: 3 } },
        { server_tool_use: null },
        { server_tool_use: { web_fetch_requests: 1 } },
      ],
      { ...STARTED, webSearchRequests: 3, webFetchRequests: 1 },
    ],
    [
      'counts cache writes beyond the breakdown as 5 minutes',
      [{ cache_creation_input_tokens: 500 }],
      { ...STARTED, cacheWrite5mTokens: 400 },
    ],
    [
      'never counts more cache writes than the total',
      [{ cache_creation_input_tokens: 60 }],
      { ...STARTED, cacheWrite5mTokens: 0, cacheWrite1hTokens: 60 },
    ],
    [
      'reads thinking tokens and speed',
      [{ output_tokens: 40, output_tokens_details: { thinking_tokens: 30 }, speed: 'fast' }],
      { ...STARTED, outputTokens: 40, thinkingTokens: 30, speed: 'fast' },
    ],
    [
      'ignores what is no count',
      [{ input_tokens: -1, output_tokens: 1.5, cache_read_input_tokens: '7', cache_creation: [5], speed: 3 }],
      STARTED,
    ],
    ['ignores labels of absurd length', [{ service_tier: 'x'.repeat(65) }], STARTED],
    ['ignores usage that is no object', [null, undefined, 7, 'x', []], STARTED],
  ])('%s', (_title, deltas, expected) => {
    const accumulator = new UsageAccumulator();
    accumulator.start(started);
    for (const delta of deltas) accumulator.delta(delta);
    expect(accumulator.read()).toEqual(expected);
  });

  it('counts a cache total without breakdown as 5 minutes', () => {
    const accumulator = new UsageAccumulator();
    accumulator.start({ cache_creation_input_tokens: 70 });
    expect(accumulator.read()).toEqual({ ...NONE, cacheWrite5mTokens: 70 });
  });

  it('counts a breakdown without a total', () => {
    const accumulator = new UsageAccumulator();
    accumulator.start({ cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 2 } });
    expect(accumulator.read()).toEqual({ ...NONE, cacheWrite5mTokens: 1, cacheWrite1hTokens: 2 });
  });

  it('has nothing to tell before the first usage', () => {
    const accumulator = new UsageAccumulator();
    accumulator.delta(null);
    expect(accumulator.read()).toBeUndefined();
  });
});
