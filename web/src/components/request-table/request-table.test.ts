import { describe, expect, it } from 'vitest';
import { summary } from '../../testing/summary.ts';
import './request-table.ts';

describe('nexus-request-table', () => {
  it('shows one row per request that leads to its page', async () => {
    const element = document.createElement('nexus-request-table');
    element.requests = [summary(), summary({ id: '0193a1b2-0001-7000-8000-000000000000', costUsd: null })];
    document.body.append(element);
    await element.updateComplete;
    const rows = [...(element.shadowRoot as ShadowRoot).querySelectorAll('tbody tr')];
    expect(rows).toHaveLength(2);
    expect(rows[0]?.querySelector('a')?.getAttribute('href')).toBe(
      'requests/0193a1b2-0000-7000-8000-000000000000',
    );
    expect(rows[0]?.textContent).toContain('$0.0123');
    expect(rows[1]?.textContent).not.toContain('$');
  });

  it('counts the whole prompt, and the part of it that was cached', async () => {
    const element = document.createElement('nexus-request-table');
    element.requests = [summary({ inputTokens: 10, cacheReadTokens: 80, cacheWrite5mTokens: 10 })];
    document.body.append(element);
    await element.updateComplete;
    const cells = [...(element.shadowRoot as ShadowRoot).querySelectorAll('td.number')];
    expect(cells.slice(0, 2).map((cell) => cell.textContent?.trim())).toEqual(['100', '80%']);
    expect(cells[0]?.getAttribute('title')).toContain('10 uncached');
  });

  it('names controls in a model that would reorder the row', async () => {
    const element = document.createElement('nexus-request-table');
    element.requests = [summary({ model: 'a\u202Eb', sessionId: '"><img src=x>' })];
    document.body.append(element);
    await element.updateComplete;
    const root = element.shadowRoot as ShadowRoot;
    expect(root.querySelector('td.model')?.textContent).toBe('a[U+202E]b');
    expect(root.querySelector('img')).toBeNull();
  });
});
