import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';

import { setUp } from './set-up.ts';
import type { WindowOptions } from './browser.ts';
import { logIn } from './stack.ts';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const PHONE = { width: 390, height: 844 };
const SCREENS: [name: string, options: WindowOptions][] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['light on a phone', { colorScheme: 'light', viewport: PHONE }],
  ['dark on a phone', { colorScheme: 'dark', viewport: PHONE }],
];

/** What axe-core finds serious or critical, one line each. */
async function violations(page: Page): Promise<string[]> {
  const { violations: list } = await page.evaluate<AxeResults>('axe.run()');
  return list
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

describe('accessibility', () => {
  const shared = setUp();
  beforeAll(async () => {
    if (shared.missing !== undefined) return;
    const { stack } = shared;
    await stack.send({ prompt: 'think: about it\nanswer: Here you are.', session: 'good' });
    await stack.send({ prompt: 'fail: overloaded', session: 'failed' });
    await stack.send({ prompt: 'fail: cut-mid-stream', session: 'cut' }).catch(() => undefined);
  });

  it.each(SCREENS)('has no serious violation on any page, %s', async (_name, options) => {
    const { stack } = shared;
    const { page } = await shared.open(options);
    await page.addInitScript({ path: AXE });
    // The colours of an element that is fading are no one's choice.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const seen: Record<string, string[]> = {};
    await page.goto(stack.url);
    await page.getByLabel('Dashboard key').waitFor();
    seen['login'] = await violations(page);
    await logIn(page, stack.url);
    const rows = page.locator('nexus-request-table tbody tr');
    await rows.filter({ hasText: '529 overloaded' }).waitFor();
    seen['list'] = await violations(page);
    for (const session of ['good', 'failed', 'cut']) {
      await page.goto(`${stack.url}requests?session=${session}`);
      await rows.getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Response' }).waitFor();
      for (const summary of await page.locator('nexus-request-page summary').all()) await summary.click();
      seen[`request ${session}`] = await violations(page);
    }
    await page.goto(`${stack.url}requests?session=none`);
    await page.getByText('No request matches these filters.').waitFor();
    seen['empty list'] = await violations(page);
    await page.goto(`${stack.url}connect`);
    await page.getByRole('button', { name: 'Copy' }).first().waitFor();
    seen['connect'] = await violations(page);
    await page.goto(`${stack.url}no/such/page`);
    await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    seen['not found'] = await violations(page);
    expect(Object.fromEntries(Object.entries(seen).filter(([, list]) => list.length > 0))).toEqual({});
    expect(Object.keys(seen)).toHaveLength(8);
  });

  it.each(SCREENS.slice(2))('needs no sideways scrolling, %s', async (_name, options) => {
    const { stack } = shared;
    const { page } = await shared.open(options);
    await logIn(page, stack.url);
    const row = page.locator('nexus-request-table tbody tr').first();
    await row.waitFor();
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(await overflow()).toBe(0);
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    expect(await overflow()).toBe(0);
  });
});
