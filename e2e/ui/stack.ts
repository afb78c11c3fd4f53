import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase } from '@claude-nexus/database/testing';
import type { TestDatabase } from '@claude-nexus/database/testing';
import type { Page } from 'playwright-core';

import { freePort, startService } from '../fixtures/program.ts';
import type { Program } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';

/** Opens the dashboard of the tests. */
export const KEY = 'a-key-for-tests-in-a-browser';

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

/** Upstream, proxy, dashboard and database as a person meets them: through a browser. */
export class Stack {
  readonly upstream: Upstream;
  readonly proxyUrl: string;
  /** Address of the dashboard, with BASE_PATH and a slash at the end. */
  readonly url: string;
  readonly #database: TestDatabase;
  readonly #folder: string;
  readonly #programs: readonly Program[];

  private constructor(parts: {
    upstream: Upstream;
    database: TestDatabase;
    folder: string;
    ports: readonly number[];
    basePath: string;
  }) {
    const [proxyPort, dashboardPort, proxyMetrics, dashboardMetrics] = parts.ports.map(String);
    this.upstream = parts.upstream;
    this.#database = parts.database;
    this.#folder = parts.folder;
    this.proxyUrl = `http://127.0.0.1:${proxyPort}`;
    this.url = `http://127.0.0.1:${dashboardPort}${parts.basePath}`;
    this.#programs = [
      startService('proxy', {
        HOST: '127.0.0.1',
        PORT: proxyPort ?? '',
        METRICS_PORT: proxyMetrics ?? '',
        CLAUDE_API_BASE_URL: parts.upstream.url,
        CREDENTIALS_DIR: path.join(parts.folder, 'credentials'),
        DATABASE_URL: parts.database.writerUrl,
        SPOOL_DIR: path.join(parts.folder, 'spool'),
        PASSTHROUGH: 'allow',
        ACCOUNT_HASH_KEY: 'an-account-hash-key-for-tests',
      }),
      startService('dashboard', {
        HOST: '127.0.0.1',
        PORT: dashboardPort ?? '',
        METRICS_PORT: dashboardMetrics ?? '',
        DASHBOARD_API_KEY: KEY,
        DATABASE_URL: parts.database.readerUrl,
        PROXY_API_URL: this.proxyUrl,
        BASE_PATH: parts.basePath,
      }),
    ];
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    const upstream = await startUpstream();
    const database = await createTestDatabase();
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-ui-'));
    await mkdir(path.join(folder, 'credentials'));
    const ports = await Promise.all(Array.from({ length: 4 }, freePort));
    const { basePath = '/' } = options;
    const stack = new Stack({ upstream, database, folder, ports, basePath });
    try {
      await stack.#programs[0]?.ready(`${stack.proxyUrl}/health/ready`);
      await stack.#programs[1]?.ready(`${stack.url}health/ready`);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
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
    await Promise.all([...this.#programs.map((program) => program.stop()), this.upstream.close()]);
    await this.#database.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Goes to an address of the dashboard and logs in. */
export async function logIn(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.getByLabel('Dashboard key').fill(KEY);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}
