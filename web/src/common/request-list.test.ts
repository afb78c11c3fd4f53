import { describe, expect, it } from 'vitest';
import { summary } from '../testing/summary.ts';
import { mergeRequests, restartList } from './request-list.ts';

const first = summary({ id: '0193a1b2-0001-7000-8000-000000000000', outcome: 'pending' });
const second = summary({ id: '0193a1b2-0002-7000-8000-000000000000' });

describe('mergeRequests', () => {
  it('keeps the newest first whatever the order of arrival', () => {
    expect(mergeRequests([second], [first], {})).toEqual([second, first]);
  });

  it('replaces a pending request by its later state', () => {
    const done = { ...first, outcome: 'completed' as const };
    expect(mergeRequests([second, first], [done], {})).toEqual([second, done]);
  });

  it('keeps the final state when a page read earlier still says pending', () => {
    const done = { ...first, outcome: 'completed' as const };
    expect(mergeRequests([done], [first], {})).toEqual([done]);
    expect(restartList([done], [first], {})).toEqual([done]);
  });

  it('drops a request that no longer matches the filters', () => {
    const done = { ...first, outcome: 'completed' as const };
    expect(mergeRequests([first], [done], { outcome: 'pending' })).toEqual([]);
  });
});

describe('restartList', () => {
  const third = summary({ id: '0193a1b2-0003-7000-8000-000000000000' });

  it('keeps what was pushed while the page was read', () => {
    expect(restartList([third, first], [second], {})).toEqual([third, second]);
  });

  it('drops older rows, between which and the page others may be missing', () => {
    expect(restartList([second, first], [third], {})).toEqual([third]);
  });
});
