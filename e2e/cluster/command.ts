import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const TAIL = 2000;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Goes to its standard input. */
  readonly input?: string;
}

/** A program that did not end with 0. */
class CommandError extends Error {
  readonly code = 'CLUSTER_COMMAND_FAILED';
}

/** Runs a program. @returns its standard output @throws {CommandError} with the end of what it said */
export async function run(
  command: readonly [string, ...string[]],
  { cwd, env = process.env, input = '' }: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  // A program may end without having read what it was given.
  child.stdin.once('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${code ?? signal ?? ''}`));
  });
  const [stdout, stderr, failure] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (failure === '') return stdout;
  throw new CommandError(`${command.join(' ')} ${failure}: ${`${stdout}\n${stderr}`.trim().slice(-TAIL)}`);
}

/** Tells whether a program can be run at all. */
export async function isInstalled(program: string): Promise<boolean> {
  return run(['sh', '-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}
