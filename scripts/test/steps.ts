import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { RESULT_FILE } from './results-reporter.ts';
import type { StepResult } from './results.ts';

const REPORTER = fileURLToPath(new URL('results-reporter.ts', import.meta.url));

/** One part of `npm test`: a check that counts as one, or a vitest project that counts its tests. */
export interface Step {
  readonly name: string;
  readonly what: string;
  /** Program of node_modules/.bin and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly project?: string;
}

const project = (name: string, what: string): Step => ({
  name,
  what,
  project: name,
  command: ['vitest', 'run', '--project', name, '--reporter=default', `--reporter=${REPORTER}`],
});

/** Everything `npm test` does, in order: what fails fast first. */
export const STEPS: readonly Step[] = [
  { name: 'types', what: 'TypeScript', command: ['tsc', '-b'] },
  { name: 'lint', what: 'lint and import directions', command: ['oxlint', '--type-aware'] },
  { name: 'format', what: 'formatting', command: ['oxfmt', '--check'] },
  { name: 'dead-code', what: 'unused files, exports and dependencies', command: ['knip'] },
  project('unit', 'unit tests'),
  project('web', 'tests of the web application'),
  project('db', 'tests on a real PostgreSQL'),
  project('e2e', 'tests across processes'),
  project('operator', 'the operator on a real Kubernetes API server'),
];

/** Runs a step with its output on the terminal. */
export async function runStep(step: Step, root: string): Promise<StepResult> {
  const [program, ...args] = step.command;
  const file = path.join(root, '.tsbuild', `test-result-${step.name}-${process.pid}.json`);
  await mkdir(path.dirname(file), { recursive: true });
  const child = spawn(path.join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
    env: { ...process.env, [RESULT_FILE]: file },
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const reported = await readResult(file);
  await rm(file, { force: true });
  return resultOf(step, { code, reported });
}

/** Combines the exit code and what vitest reported; a run that says nothing is a failure, whatever its code. */
export function resultOf(
  step: Step,
  ran: { code: number | null; reported: StepResult | undefined },
): StepResult {
  const failed = (reason: string): StepResult => ({
    passed: ran.reported?.passed ?? 0,
    failures: [`${step.name}: ${reason}`],
    skipped: ran.reported?.skipped ?? [],
  });
  const ended = ran.code === null ? 'was killed' : `ended with exit code ${ran.code}`;
  if (step.project === undefined) {
    return ran.code === 0
      ? { passed: 1, failures: [], skipped: [] }
      : failed(`${step.command.join(' ')} ${ended}`);
  }
  if (!ran.reported) return failed(`vitest reported nothing and ${ended}`);
  return ran.code === 0 || ran.reported.failures.length > 0 ? ran.reported : failed(`vitest ${ended}`);
}

async function readResult(file: string): Promise<StepResult | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as StepResult;
  } catch {
    return undefined;
  }
}
