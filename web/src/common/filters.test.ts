import { describe, expect, it } from 'vitest';
import { summary } from '../testing/summary.ts';
import { filtersFrom, matchesFilters, queryOf } from './filters.ts';

describe('filters', () => {
  it('survive a round trip through the address', () => {
    const filters = { kind: 'main', session: 'a b&c' };
    expect(filtersFrom(queryOf(filters))).toEqual(filters);
  });

  it('ignore what they do not know and what is empty', () => {
    expect(filtersFrom('?kind=&evil=1&model=+claude-opus-5-5+')).toEqual({ model: 'claude-opus-5-5' });
    expect(queryOf({ kind: '' })).toBe('');
  });

  it.each([
    [{}, true],
    [{ kind: 'main', outcome: 'completed' }, true],
    [{ kind: 'main', outcome: 'error' }, false],
    [{ session: 'other' }, false],
    [{ status: '200' }, true],
    [{ status: '529' }, false],
    [{ account: 'team' }, false],
  ])('given %j a completed main request matches: %s', (filters, matches) => {
    expect(matchesFilters(summary({ kind: 'main', outcome: 'completed', sessionId: 's' }), filters)).toBe(
      matches,
    );
  });
});
