import { describe, expect, it } from 'vitest';

import { setUp } from './set-up.ts';
import { KEY, logIn } from './stack.ts';

describe('logging in and out', () => {
  const shared = setUp();

  it('refuses a wrong key, says so, and lets one try again', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    await page.goto(stack.url);
    // The field takes the focus by itself, once the server has said that nobody is logged in.
    await page.getByLabel('Dashboard key').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('wrong key');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'This is not the dashboard key.' }).waitFor();
    // The field has the focus again, its content selected: typing replaces it.
    await page.keyboard.type(KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Requests', exact: true }).waitFor();
    expect(troubles).toEqual([]);
  });

  it('stays logged in over a reload, with a cookie that scripts cannot read', async () => {
    const { stack } = shared;
    const { page, context } = await shared.open();
    await logIn(page, stack.url);
    await page.reload();
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    const cookies = await context.cookies();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('shows nothing any more after logging out', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await logIn(page, stack.url);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Dashboard key').waitFor();
    expect(await page.locator('nexus-requests-page').count()).toBe(0);
    expect((await page.request.get(`${stack.url}api/requests`)).status()).toBe(401);
    expect(await page.title()).toBe('Log in · ClaudeNexus');
  });

  it('asks for the key when the session ends elsewhere', async () => {
    const { stack } = shared;
    const { page, context } = await shared.open();
    await logIn(page, stack.url);
    await page.locator('nexus-requests-page').getByText('Live', { exact: true }).waitFor();
    await context.clearCookies();
    await page.getByLabel('Model').fill('claude-opus-5-5');
    await page.keyboard.press('Enter');
    await page.getByLabel('Dashboard key').waitFor();
    expect(await page.locator('nexus-requests-page').count()).toBe(0);
  });

  it('leads back to the address that was asked for', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await logIn(page, `${stack.url}requests?outcome=error`);
    expect(new URL(page.url()).search).toBe('?outcome=error');
    expect(await page.getByLabel('Outcome').inputValue()).toBe('error');
  });
});
