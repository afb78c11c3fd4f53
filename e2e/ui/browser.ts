import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser, BrowserContext, LaunchOptions, Page } from 'playwright-core';

/**
 * Flags of the packaged browser that a test must not have: one turns security checks off, and with the other, closing a
 * window ends the whole browser.
 */
const UNWANTED = new Set(['--disable-web-security', '--single-process']);

/** A browser, or why there is none. */
export type BrowserSearch = { readonly browser: Browser } | { readonly missing: string };

/** Starts the packaged Chromium (Linux), else a Chrome or Edge that is installed. Never rejects. */
export async function findBrowser(): Promise<BrowserSearch> {
  const problems: string[] = [];
  for (const [name, options] of candidates()) {
    try {
      return { browser: await playwright.launch(await options()) };
    } catch (error) {
      problems.push(`${name}: ${String(error).split('\n', 1)[0]}`);
    }
  }
  return { missing: `no browser could be started (${problems.join('; ')})` };
}

function candidates(): [name: string, options: () => Promise<LaunchOptions>][] {
  const installed = (['chrome', 'msedge'] as const).map((channel): [string, () => Promise<LaunchOptions>] => [
    channel,
    async () => ({ channel }),
  ]);
  return process.platform === 'linux' ? [['packaged Chromium', packaged], ...installed] : installed;
}

async function packaged(): Promise<LaunchOptions> {
  return {
    executablePath: await chromium.executablePath(),
    args: chromium.args.filter((flag) => !UNWANTED.has(flag)),
  };
}

/** A window and everything that went wrong in it. */
export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of scripts, errors on the console, dialogs, and violations of the content security policy. */
  readonly troubles: string[];
}

/** What a window looks like. */
export interface WindowOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** Opens a window without history, cookies and storage. */
export async function openWindow(browser: Browser, options: WindowOptions = {}): Promise<Window> {
  const context = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    // The browser itself logs answers like 401 and 404; what the page makes of them is tested elsewhere.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) troubles.push(`console: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction('reportViolation', (violation: string) => {
    troubles.push(`policy violation: ${violation}`);
  });
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) =>
       reportViolation(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample))`,
  );
  return { context, page, troubles };
}
