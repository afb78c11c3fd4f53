import { describe, expect, it } from 'vitest';

import { setUp } from './set-up.ts';
import { logIn } from './stack.ts';

describe('under a BASE_PATH', () => {
  const shared = setUp({ basePath: '/nexus/' });

  it('every address lies below it: pages, data, events and files', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    const outside: string[] = [];
    page.on('request', (request) => {
      if (!new URL(request.url()).pathname.startsWith('/nexus/')) outside.push(request.url());
    });
    await logIn(page, stack.url);
    await stack.send({ session: 'based' });
    const row = page.locator('nexus-request-table tbody tr').filter({ hasText: 'completed' });
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/nexus\/requests\/[0-9a-f-]{36}$/);
    await page.reload();
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    await page.getByRole('link', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: 'Connect a client' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/nexus/connect');
    await page.goBack();
    await page.getByRole('link', { name: '← Requests' }).click();
    await row.waitFor();
    expect(outside).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('the root leads there', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await page.goto(new URL('/', stack.url).href);
    await page.getByLabel('Dashboard key').waitFor();
    expect(new URL(page.url()).pathname).toBe('/nexus/');
  });
});
