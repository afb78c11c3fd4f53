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
});
