import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChildProcess } from 'node:child_process';

import { createTestDatabase, withClient } from '@claude-nexus/database/testing';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { descendantsOf, isRunning, processesLike, processOf } from '../fixtures/processes.ts';
import { freePort, ROOT, until } from '../fixtures/program.ts';
import { messageAnswer } from '../fixtures/upstream/answers.ts';
import { brain } from '../fixtures/upstream/brain.ts';
import { Gate } from '../fixtures/upstream/gate.ts';
import { longMessage } from '../fixtures/upstream/scenarios.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';

/** `npm start` with flags, as a person types it: npm, a shell and the supervisor in one process group. */
class Start {
  readonly #child: ChildProcess;
  output = '';
  errors = '';

  constructor(flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('npm', ['start', '--silent', '--', ...flags], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ready(): Promise<void> {
    await until('npm start to be ready', async () => {
      if (this.#child.exitCode !== null) throw new Error(`npm start ended:\n${this.output}${this.errors}`);
      return this.output.includes('Ctrl-C stops everything.') ? true : undefined;
    });
  }

  /** What the terminal does on Ctrl-C: SIGINT to the whole process group. */
  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    process.kill(-this.pid, signal);
  }

  /** Exit code, or the signal: a shell that got Ctrl-C dies of it too once its child has ended, and npm follows. */
  async exit(): Promise<number | string | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}

/** Waits for an end in order. */
async function stopped(run: Start): Promise<void> {
  const outcome = await run.exit();
  expect([0, 'SIGINT']).toContain(outcome);
  expect(run.output.trim().split('\n').at(-1)).toBe('Stopped.');
  expect(run.errors).toBe('');
}

let folder: string;
let upstream: Upstream;
let ports: [proxy: number, dashboard: number];
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  upstream.answer(brain());
  folder = await mkdtemp(path.join(tmpdir(), 'nexus-start-'));
  ports = [await freePort(), await freePort()];
});
afterEach(async () => {
  // Everything a failed test left: our folder is on its command line, or it ends with what is killed here.
  for (const pid of await processesLike(new RegExp(folder))) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(options: { flags?: readonly string[]; env?: Readonly<Record<string, string>> } = {}): Start {
  const [proxy, dashboard] = ports;
  const flags = [
    `--proxy-port=${proxy}`,
    `--dashboard-port=${dashboard}`,
    `--data-dir=${path.join(folder, 'data')}`,
    `--upstream=${upstream.url}`,
    ...(options.flags ?? []),
  ];
  return new Start(flags, options.env);
}

async function dashboard(): Promise<DashboardClient> {
  const secrets = JSON.parse(await readFile(path.join(folder, 'data', 'secrets.json'), 'utf8')) as {
    dashboardKey: string;
  };
  return new DashboardClient(`http://127.0.0.1:${ports[1]}`, secrets.dashboardKey);
}

const proxyUrl = (): string => `http://127.0.0.1:${ports[0]}`;

describe('npm start', () => {
  it('prints how to use it, records, stops everything on Ctrl-C, and finds its data on the next start', async () => {
    const first = start();
    await first.ready();
    const { session, sdk } = sessionClient(proxyUrl());
    expect(first.output).toContain(`ANTHROPIC_BASE_URL=${proxyUrl()} claude`);
    const client = await dashboard();
    await sdk.messages.create(prompt('hi'));
    const rows = await client.settledRows(session, 1);
    const key = /Login key\s+(\S+)/.exec(first.output)?.[1];
    expect((await stat(path.join(folder, 'data', 'secrets.json'))).mode & 0o777).toBe(0o600);

    const processes = await descendantsOf(first.pid);
    // The supervisor, proxy, dashboard and PostgreSQL at least.
    expect(processes.length).toBeGreaterThanOrEqual(4);
    first.interrupt();
    await stopped(first);
    for (const pid of processes) expect([pid, await isRunning(pid)]).toEqual([pid, false]);

    const second = start();
    await second.ready();
    expect(second.output).toContain(`Login key       ${key}`);
    expect(await (await dashboard()).rows(session)).toEqual(rows);
    second.interrupt();
    await stopped(second);
  });

  it('waits for an open stream on Ctrl-C, and not on a second one', async () => {
    const gate = new Gate();
    upstream.answer(messageAnswer(longMessage(), { gate }));
    const run = start();
    await run.ready();
    const { sdk } = sessionClient(proxyUrl());
    const before = upstream.requests.length;
    const answer = sdk.messages.stream(prompt('hi')).finalMessage();
    await upstream.request(before);
    gate.release(3);
    run.interrupt();
    await until('the notice', async () =>
      run.output.includes('waiting for open streams') ? true : undefined,
    );
    gate.open();
    expect((await answer).stop_reason).toBe('end_turn');
    await stopped(run);

    const hasty = start();
    upstream.answer(messageAnswer(longMessage(), { gate: new Gate() }));
    await hasty.ready();
    const cut = sdk.messages
      .stream(prompt('hi'))
      .finalMessage()
      .catch((error: unknown) => error);
    await upstream.request(before + 1);
    const processes = await descendantsOf(hasty.pid);
    hasty.interrupt();
    await until('the notice', async () =>
      hasty.output.includes('waiting for open streams') ? true : undefined,
    );
    hasty.interrupt();
    expect(await hasty.exit()).not.toBe(0);
    expect(await cut).toBeInstanceOf(Error);
    await until('every process to end', async () => {
      const alive = await Promise.all(processes.map(isRunning));
      return alive.includes(true) ? undefined : true;
    });
  });

  it('starts a service again that dies, and ends what a killed supervisor leaves behind', async () => {
    const run = start();
    await run.ready();
    process.kill(await processOf(/services\/proxy\/src\/main/, await descendantsOf(run.pid)), 'SIGKILL');
    await until('the notice', async () => (run.output.includes('proxy ended (SIGKILL)') ? true : undefined));
    await until('the proxy to serve again', async () => {
      const answer = await fetch(`${proxyUrl()}/health/ready`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });

    const processes = await descendantsOf(run.pid);
    process.kill(await processOf(/^node scripts\/start/, processes), 'SIGKILL');
    await until('the services to end by themselves', async () => {
      const services = await Promise.all(
        ['proxy', 'dashboard'].map((name) =>
          processOf(new RegExp(`services/${name}/`), processes).catch(() => undefined),
        ),
      );
      return services.every((pid) => pid === undefined) ? true : undefined;
    });
    const next = start();
    await next.ready();
    expect(next.output).toMatch(/stopping PostgreSQL \(process \d+\) left over from an earlier run/);
    for (const pid of processes) expect([pid, await isRunning(pid)]).toEqual([pid, false]);
    next.interrupt();
    await stopped(next);
    // Every wait above is bounded and says what it waits for.
  }, 240_000);
});

describe('a service manager', () => {
  it('stops everything by SIGTERM to npm alone', async () => {
    const run = start();
    await run.ready();
    process.kill(run.pid, 'SIGTERM');
    // npm itself dies of it at once, and the shell between with it.
    await until('everything to stop', async () => (run.output.includes('Stopped.') ? true : undefined));
    expect(run.errors).toBe('');
  });
});

async function refusal(run: Start): Promise<string> {
  expect(await run.exit()).toBe(1);
  expect(run.errors.trim().split('\n')).toHaveLength(1);
  return run.errors.trim();
}

describe('npm start refuses in one line', () => {
  it.each([0, 1])('a port that is in use (%i)', async (index) => {
    const server = createServer().listen(ports[index], '127.0.0.1');
    await once(server, 'listening');
    const flag = ['--proxy-port', '--dashboard-port'][index];
    expect(await refusal(start())).toBe(
      `port ${ports[index]} is in use by another program; choose another one with ${flag}`,
    );
    server.close();
  });

  it('an unknown flag', async () => {
    expect(await refusal(start({ flags: ['--prxy-port=1'] }))).toBe(
      'unknown flag --prxy-port; did you mean --proxy-port?',
    );
  });

  it('a data directory that cannot be written', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    expect(await refusal(start({ flags: [`--data-dir=${file}/data`] }))).toMatch(
      /^data directory .*\/file\/data cannot be written/,
    );
  });

  it('a data directory without the right to write', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write everywhere');
    await chmod(folder, 0o500);
    expect(await refusal(start())).toMatch(/cannot be written \(EACCES\)/);
    await chmod(folder, 0o700);
  });

  it('a data directory that another gateway uses', async () => {
    const first = start();
    await first.ready();
    const others = [await freePort(), await freePort()];
    const second = start({ flags: [`--proxy-port=${others[0]}`, `--dashboard-port=${others[1]}`] });
    expect(await refusal(second)).toMatch(/^data directory .* is in use by process \d+/);
    first.interrupt();
    await stopped(first);
  });

  it('a database that cannot be reached', async () => {
    const url = `postgres://nexus:a-password@127.0.0.1:${await freePort()}/nexus`;
    const line = await refusal(start({ env: { DATABASE_URL: url } }));
    expect(line).toMatch(/^the database of DATABASE_URL cannot be used: .*ECONNREFUSED/);
    expect(line).not.toContain('a-password');
  });

  it('a database whose schema no longer serves this release', async () => {
    const database = await createTestDatabase();
    await withClient(database.superuserUrl, async (client) => {
      await client.query('update nexus.migration set minimum_service = 1000000');
    });
    const line = await refusal(start({ env: { DATABASE_URL: database.superuserUrl } }));
    expect(line).toMatch(/schema version \d+, which no longer serves this release; upgrade ClaudeNexus/);
    await database.drop();
  });
});
