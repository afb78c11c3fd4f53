import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

import { findBrowser, openWindow } from './browser.ts';
import type { BrowserSearch, Window, WindowOptions } from './browser.ts';
import { Stack } from './stack.ts';
import type { StackOptions } from './stack.ts';

/** What the tests of one file share: processes and a browser, and a window for each test. */
export class SetUp {
  #found: BrowserSearch = { missing: 'the browser was not looked for' };
  #stack: Stack | undefined;
  readonly #windows: Window[] = [];

  /** Why the tests cannot run; undefined when they can. */
  get missing(): string | undefined {
    return 'missing' in this.#found ? this.#found.missing : undefined;
  }

  /** @throws Error outside of a test */
  get stack(): Stack {
    if (this.#stack === undefined) throw new Error('the stack is not running');
    return this.#stack;
  }

  /** Opens a window that is closed after the test. */
  async open(options?: WindowOptions): Promise<Window> {
    if ('missing' in this.#found) throw new Error(this.#found.missing);
    const window = await openWindow(this.#found.browser, options);
    this.#windows.push(window);
    return window;
  }

  async start(options: StackOptions): Promise<void> {
    this.#found = await findBrowser();
    if ('browser' in this.#found) this.#stack = await Stack.start(options);
  }

  async closeWindows(): Promise<void> {
    for (const { context } of this.#windows.splice(0)) await context.close();
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
    if ('browser' in this.#found) await this.#found.browser.close();
  }
}

/** To be called within `describe`. Without a browser all its tests are skipped, with the reason. */
export function setUp(options: StackOptions = {}): SetUp {
  const shared = new SetUp();
  beforeAll(() => shared.start(options));
  beforeEach((context) => {
    if (shared.missing !== undefined) context.skip(shared.missing);
  });
  afterEach(() => shared.closeWindows());
  afterAll(() => shared.stop());
  return shared;
}
