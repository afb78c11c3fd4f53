import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import './elapsed-time.ts';

const START = Date.parse('2026-11-23T12:00:00.000Z');

describe('nexus-elapsed-time', () => {
  beforeEach(() => void vi.useFakeTimers({ now: START }));
  afterEach(() => void vi.useRealTimers());

  it('counts whole seconds from an instant that may lie in the future', async () => {
    const element = document.createElement('nexus-elapsed-time');
    element.since = new Date(START + 500).toISOString();
    document.body.append(element);
    const shown: (string | undefined)[] = [];
    for (const ms of [0, 3000, 60_000]) {
      await vi.advanceTimersByTimeAsync(ms);
      await element.updateComplete;
      shown.push(element.shadowRoot?.textContent?.trim());
    }
    element.remove();
    expect(shown).toEqual(['0 s', '2 s', '1 min 2 s']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
