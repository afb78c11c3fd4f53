import { describe, expect, it } from 'vitest';

import { messageAnswer } from '../fixtures/upstream/answers.ts';
import { message, textBlock, toolUseBlock } from '../fixtures/upstream/messages.ts';
import { setUp } from './set-up.ts';
import { logIn } from './stack.ts';

const MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script><a href="javascript:alert(3)">x</a>';
const CONTROLS = 'start \u202Egnp.exe\u202C \ud800 \u0000 \u001b[31m end';
const LONG_LINE = 'A'.repeat(1_000_000);

describe('hostile content', () => {
  const shared = setUp();

  it('is shown as text, wherever it stands, and never runs', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    const content = [textBlock(`${MARKUP} ${CONTROLS}`), toolUseBlock(MARKUP, { [MARKUP]: MARKUP })];
    stack.upstream.answer(messageAnswer(message({ content, model: MARKUP })));
    const messages = [
      { role: MARKUP, content: [{ type: MARKUP, [MARKUP]: CONTROLS }] },
      { role: 'user', content: `${MARKUP} ${CONTROLS}` },
      { role: 'user', content: LONG_LINE },
    ];
    await stack.send({ messages, model: MARKUP, session: 'hostile' });
    await logIn(page, `${stack.url}requests?session=hostile`);
    await page.locator('nexus-request-table .model').getByText(MARKUP, { exact: true }).waitFor();
    await page.locator('nexus-request-table .started a').click();
    await page.locator('nexus-request-page article[data-role=user]').first().getByText(MARKUP).waitFor();
    await page.getByRole('button', { name: 'Show more of 1,000,000 characters' }).click();
    await page.getByText('download the whole body').waitFor();
    for (const summary of await page.locator('nexus-request-page summary').all()) await summary.click();
    const foreign = await page.locator('main :is(img, script, a[href^="javascript:"])').count();
    expect(foreign).toBe(0);
    expect(troubles).toEqual([]);
  });

  it('cannot turn text around or hide in it', async () => {
    const { stack } = shared;
    const { page } = await shared.open();
    stack.upstream.answer(messageAnswer(message()));
    await stack.send({ prompt: CONTROLS, session: 'controls' });
    await logIn(page, `${stack.url}requests?session=controls`);
    await page.locator('nexus-request-table .started a').click();
    const shown = page.locator('nexus-request-page article[data-role=user] pre');
    await shown.waitFor();
    expect(await shown.textContent()).toBe('start [U+202E]gnp.exe[U+202C] \ufffd \u2400 \u241b[31m end');
  });

  it('in an address is refused or shown, not run', async () => {
    const { stack } = shared;
    const { page, troubles } = await shared.open();
    const query = new URLSearchParams({ model: MARKUP, kind: '<b>', session: '\u202Ex' });
    await logIn(page, `${stack.url}requests?${query.toString()}`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Model').inputValue()).toBe(MARKUP);
    expect(await page.locator('main img').count()).toBe(0);
    expect(troubles).toEqual([]);
  });
});
