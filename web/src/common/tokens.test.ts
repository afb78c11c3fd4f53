import { describe, expect, it } from 'vitest';
import { cacheWriteTokens, cachedShare, promptTokens } from './tokens.ts';

const counts = { inputTokens: 10, cacheReadTokens: 80, cacheWrite5mTokens: 6, cacheWrite1hTokens: 4 };
const unknown = {
  inputTokens: null,
  cacheReadTokens: null,
  cacheWrite5mTokens: null,
  cacheWrite1hTokens: null,
};

describe('tokens', () => {
  it('of a prompt are uncached, cache reads and cache writes together', () => {
    expect(promptTokens(counts)).toBe(100);
    expect(cacheWriteTokens(counts)).toBe(10);
    expect(cachedShare(counts)).toBe(0.8);
  });

  it('stay unknown where the API said nothing', () => {
    expect(promptTokens(unknown)).toBeNull();
    expect(cacheWriteTokens(unknown)).toBeNull();
    expect(cachedShare(unknown)).toBeNull();
  });

  it('of an empty prompt have no cached share', () => {
    expect(cachedShare({ ...unknown, inputTokens: 0 })).toBeNull();
  });
});
