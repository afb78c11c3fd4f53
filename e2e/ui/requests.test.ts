import { beforeEach, describe, expect, it } from 'vitest';
import type { Locator, Page } from 'playwright-core';

import { messageAnswer } from '../fixtures/upstream/answers.ts';
import { brain } from '../fixtures/upstream/brain.ts';
import { Gate } from '../fixtures/upstream/gate.ts';
import { message, textBlock } from '../fixtures/upstream/messages.ts';
import { setUp } from './set-up.ts';
import { logIn } from './stack.ts';

const USAGE = {
  input_tokens: 7,
  output_tokens: 41,
  cache_read_input_tokens: 12_000,
  cache_creation_input_tokens: 3_500,
  cache_creation: { ephemeral_5m_input_tokens: 2_500, ephemeral_1h_input_tokens: 1_000 },
};

/** Rows of the list that hold a text. */
function rows(page: Page, text = ''): Locator {
  return page.locator('nexus-request-table tbody tr').filter({ hasText: text });
}

/** Value of a figure by its name. */
function figure(page: Page, name: string): Locator {
  return page
    .locator('nexus-request-page nexus-summary-tiles dl > div')
    .filter({ hasText: name })
    .locator('dd');
}

describe('the list of requests', () => {
  const shared = setUp();
  beforeEach(() => shared.stack.upstream.answer(brain()));

  it('tells at first how to connect, with a line to copy', async () => {
    const { stack } = shared;
    const { page, context } = await shared.open();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await logIn(page, stack.url);
    const line = `ANTHROPIC_BASE_URL=${stack.proxyUrl} claude`;
    await page.getByText(line).waitFor();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(line);
  });

  it('shows a request as it happens: pending, then completed, without a reload', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    const gate = new Gate();
    stack.upstream.answer(messageAnswer(message({ usage: USAGE }), { gate }));
    await logIn(page, stack.url);
    await page.evaluate('globalThis.sameDocument = true');
    const sent = stack.send({ session: 'live-session' });
    const row = rows(page, 'live-ses');
    await row.filter({ hasText: 'pending' }).waitFor();
    gate.open();
    await row.filter({ hasText: 'completed' }).waitFor();
    expect(await sent).toBe(200);
    const cells = await row.getByRole('cell').allInnerTexts();
    expect(cells.slice(1, 7)).toEqual([
      'main',
      'claude-opus-5-5',
      '15.5K',
      '77%',
      '41',
      expect.stringMatching(/^\$0\.0\d+$/),
    ]);
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
    expect(troubles).toEqual([]);
  });

  it('opens a request with its messages, tokens and cost', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    stack.upstream.answer(messageAnswer(message({ content: [textBlock('It is 42.')], usage: USAGE })));
    await stack.send({ prompt: 'What is the answer?', session: 'opened-session' });
    await logIn(page, stack.url);
    await rows(page, 'opened-s').getByRole('link').first().click();
    await page.locator('article[data-role=user]').getByText('What is the answer?').waitFor();
    await page.locator('article[data-role=assistant]').getByText('It is 42.').waitFor();
    expect(await figure(page, 'Prompt tokens').innerText()).toContain('15,507');
    expect(await figure(page, 'Cache reads').innerText()).toContain('12,000');
    expect(await figure(page, 'Cache writes').innerText()).toContain('3,500');
    expect(await figure(page, 'Output tokens').innerText()).toBe('41');
    expect(await figure(page, 'Cost').innerText()).toMatch(/^\$0\.0\d+$/);
    expect(await page.title()).toBe('claude-opus-5-5 · completed · ClaudeNexus');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download the body' }).first().click(),
    ]);
    expect(await download.failure()).toBeNull();
    expect(troubles).toEqual([]);
  });

  it('follows a pending request on its own page', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    const gate = new Gate();
    stack.upstream.answer(messageAnswer(message({ content: [textBlock('At last.')] }), { gate }));
    await logIn(page, stack.url);
    const sent = stack.send({ session: 'followed-session' });
    await rows(page, 'followed').filter({ hasText: 'pending' }).getByRole('link').first().click();
    await page.getByText('The answer has not ended yet.').waitFor();
    gate.open();
    await page.locator('article[data-role=assistant]').getByText('At last.').waitFor();
    expect(await sent).toBe(200);
    await page.locator('nexus-request-page nexus-status-badge').getByText('completed').waitFor();
  });

  it('keeps filters in the address, over reload, back and forward', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await stack.send({ session: 'good-session' });
    await stack.send({ session: 'bad-session', prompt: 'fail: overloaded' });
    await logIn(page, stack.url);
    await rows(page, 'good-ses').waitFor();
    await page.getByLabel('Outcome').selectOption('error');
    await rows(page, 'good-ses').waitFor({ state: 'detached' });
    await rows(page, '529 overloaded').waitFor();
    expect(new URL(page.url()).search).toBe('?outcome=error');
    await page.reload();
    await rows(page, 'bad-sess').waitFor();
    expect(await rows(page, 'good-ses').count()).toBe(0);
    await page.goBack();
    await rows(page, 'good-ses').waitFor();
    expect(await page.getByLabel('Outcome').inputValue()).toBe('');
    await page.goForward();
    await rows(page, 'good-ses').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Outcome').inputValue()).toBe('error');
    await page.getByRole('button', { name: 'Clear' }).click();
    await rows(page, 'good-ses').waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  it('leads from a row to the other requests of its session', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    for (let count = 0; count < 3; count++) await stack.send({ session: 'one-of-many' });
    await logIn(page, stack.url);
    await rows(page, 'one-of-m').first().getByRole('link', { name: 'Requests of session' }).click();
    await expect.poll(() => rows(page).count()).toBe(3);
    expect(await rows(page, 'one-of-m').count()).toBe(3);
    expect(new URL(page.url()).search).toBe('?session=one-of-many');
  });

  it('is where it was left after looking at a request', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    for (let count = 0; count < 30; count++) await stack.send({ session: `row-${count}` });
    await logIn(page, stack.url);
    const row = rows(page, 'row-0');
    await row.scrollIntoViewIfNeeded();
    const scroll = await page.evaluate('scrollY');
    expect(scroll).toBeGreaterThan(0);
    await row.getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    expect(await page.evaluate('scrollY')).toBe(0);
    await page.goBack();
    await row.waitFor();
    await expect.poll(() => page.evaluate('scrollY')).toBe(scroll);
  });

  it('says when the database is down, and goes on when it is back', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await stack.send({ session: 'survivor' });
    await page.route('**/api/requests?*', (route) =>
      route.fulfill({
        status: 503,
        headers: { 'retry-after': '1' },
        contentType: 'application/problem+json',
        body: JSON.stringify({ status: 503, title: 'x', detail: 'the database does not answer' }),
      }),
    );
    await logIn(page, stack.url);
    await page.getByRole('alert').filter({ hasText: 'the database does not answer' }).waitFor();
    await page.unroute('**/api/requests?*');
    await rows(page, 'survivor').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('opens a request of 400 messages and 2 MB quickly, the newest messages first', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    const messages = Array.from({ length: 400 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `message ${index + 1} ${'some words of a long session '.repeat(180)}`,
    }));
    await stack.send({ messages: [...messages, { role: 'user', content: 'the last one' }], session: 'long' });
    await logIn(page, `${stack.url}requests?session=long`);
    const started = performance.now();
    await rows(page, 'long').getByRole('link').first().click();
    await page.getByText('the last one', { exact: true }).waitFor();
    // A tenth of this is usual; the limit is for machines that do other things at the same time.
    expect(performance.now() - started).toBeLessThan(3000);
    expect(await page.locator('nexus-message-list article').count()).toBe(12);
    await page.getByRole('button', { name: 'Show 200 of 389 earlier messages' }).click();
    await page.getByRole('button', { name: 'Show 189 earlier messages' }).click();
    expect(await page.locator('nexus-message-list article').count()).toBe(401);
  });

  it('changes its colours at a choice that is remembered', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await logIn(page, stack.url);
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.getByLabel('Theme').selectOption('light');
    const light = await background();
    await page.getByLabel('Theme').selectOption('dark');
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    expect(await background()).toBe(dark);
  });

  it('can be used with the keyboard alone', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    await stack.send({ session: 'keyboard' });
    await logIn(page, `${stack.url}requests?session=keyboard`);
    await rows(page, 'keyboard').waitFor();
    await page.keyboard.press('Tab');
    await page.locator('nexus-request-table .started a').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    await page.keyboard.press('Tab');
    expect(
      await page.getByRole('link', { name: '← Requests' }).evaluate((link) => link.matches(':focus')),
    ).toBe(true);
    await page.keyboard.press('Enter');
    await rows(page, 'keyboard').waitFor();
    expect(await page.locator('.started a').evaluate((link) => link.matches(':focus'))).toBe(true);
  });
});
