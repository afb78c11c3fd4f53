import { describe, expect, it } from 'vitest';
import { outcomeText } from './outcome-text.ts';

describe('outcomeText', () => {
  it.each([
    ['completed', 200, null, 'completed'],
    ['pending', null, null, 'pending'],
    ['error', 529, 'overloaded_error', '529 overloaded'],
    ['error', 429, 'rate_limit_error', '429 rate limit'],
    ['error', 200, 'api_error', 'error api'],
    ['error', null, null, 'error'],
  ] as const)('%s with status %s and %s is "%s"', (outcome, status, errorType, text) => {
    expect(outcomeText(outcome, { status, errorType })).toBe(text);
  });
});
