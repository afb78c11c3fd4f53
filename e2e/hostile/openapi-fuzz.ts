import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { DASHBOARD_KEY as KEY, TestGateway } from '../fixtures/gateway.ts';

/**
 * Fuzzes the dashboard's API from its own OpenAPI description with schemathesis, over recorded exchanges:
 *
 *     node e2e/hostile/openapi-fuzz.ts [options of `schemathesis run`]
 *
 * Needs Python 3.10 or later with `venv`; not part of `npm test`. Exits with 1 on findings, with 2 where it cannot run.
 */
const SCHEMATHESIS = 'schemathesis==4.32.5';

const PYTHONS = ['python3', 'python'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/** Installs schemathesis into a folder of its own. @returns the program, or undefined after saying what is missing */
function install(folder: string): string | undefined {
  const recent = 'import sys, venv; sys.exit(sys.version_info < (3, 10))';
  const python = PYTHONS.find((name) => spawnSync(name, ['-c', recent]).status === 0);
  if (python === undefined) {
    say('Python 3.10 or later with the module venv was not found: install it to fuzz the API.');
    return undefined;
  }
  const bin = path.join(folder, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin');
  say(`Installing ${SCHEMATHESIS} into ${folder} ...`);
  const installed =
    succeeds(python, ['-m', 'venv', path.join(folder, 'venv')]) &&
    succeeds(path.join(bin, 'python'), ['-m', 'pip', 'install', '-q', SCHEMATHESIS]);
  if (installed) return path.join(bin, 'schemathesis');
  say(`${SCHEMATHESIS} could not be installed: is the Python package index reachable?`);
  return undefined;
}

/** Something to be found: answers, a stream, an error, and an exchange without a body. */
async function record(gateway: TestGateway): Promise<void> {
  const { sdk, session } = sessionClient(gateway.proxyUrl);
  await sdk.messages.create(prompt('hello'));
  await sdk.messages.stream(prompt('use-bash: ls')).finalMessage();
  await sdk.messages.create(prompt('fail: overloaded')).catch(() => undefined);
  await sdk.models.list();
  await gateway.dashboard.settledRows(session, 4);
}

async function fuzz(program: string, gateway: TestGateway, folder: string): Promise<number> {
  const args = [
    'run',
    `${gateway.dashboardUrl}/api/openapi.json`,
    '--url',
    gateway.dashboardUrl,
    '--header',
    `Authorization: Bearer ${KEY}`,
    // Its answer has no end.
    '--exclude-path',
    '/sse',
    // A schema cannot say that a window ends after it starts, or which cursors there are.
    '--exclude-checks',
    // The last one guesses keys, and after a few of those nobody is let in for a while; tests see to keys.
    'positive_data_acceptance,ignored_auth',
    '--seed',
    '20261123',
    ...process.argv.slice(2),
  ];
  const child = spawn(program, args, { cwd: folder, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function main(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'claude-nexus-fuzz-'));
  try {
    const program = install(folder);
    if (program === undefined) return 2;
    const gateway = await TestGateway.start();
    try {
      await record(gateway);
      return await fuzz(program, gateway, folder);
    } finally {
      await gateway.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
