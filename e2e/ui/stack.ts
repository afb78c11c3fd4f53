import type { Page } from 'playwright-core';

import { DASHBOARD_KEY, TestGateway } from '../fixtures/gateway.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';

/** Opens the dashboard of the tests. */
export const KEY = DASHBOARD_KEY;

/** What differs from a dashboard at the root of its address. */
export interface StackOptions {
  /** With a slash at both ends. */
  readonly basePath?: string;
}

/** A request to be made through the proxy. */
export interface Sent {
  /** Text of the prompt, or the messages. */
  readonly prompt?: string;
  readonly messages?: unknown;
  readonly session?: string;
  readonly model?: string;
}

/** A gateway as a person meets it: through a browser. */
export class Stack {
  readonly #gateway: TestGateway;

  private constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    return new Stack(await TestGateway.start(options));
  }

  get upstream(): Upstream {
    return this.#gateway.upstream;
  }

  get proxyUrl(): string {
    return this.#gateway.proxyUrl;
  }

  /** Address of the dashboard, with BASE_PATH and a slash at the end. */
  get url(): string {
    return `${this.#gateway.dashboardUrl}/`;
  }

  /** Sends a streamed request and reads the answer to its end. @returns its status */
  async send({ prompt = 'hello', messages, session, model = 'claude-opus-5-5' }: Sent = {}): Promise<number> {
    const answer = await fetch(`${this.proxyUrl}/v1/messages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'sk-ant-api03-test',
        'anthropic-version': '2023-06-01',
        ...(session !== undefined && { 'x-claude-code-session-id': session }),
      },
      body: JSON.stringify({
        model,
        max_tokens: 1000,
        stream: true,
        messages: messages ?? [{ role: 'user', content: prompt }],
      }),
    });
    await answer.text();
    return answer.status;
  }

  async stop(): Promise<void> {
    await this.#gateway.stop();
  }
}

/** Goes to an address of the dashboard and logs in. */
export async function logIn(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.getByLabel('Dashboard key').fill(KEY);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}
