import { NexusError } from './errors.ts';
import { redactText } from './logging/redact.ts';

/** The parts of `process` needed to report a failed start; replaced in tests. */
export interface ProgramHost {
  readonly stderr: { write(text: string): unknown };
  exit(code: number): void;
}

/**
 * Runs the start of a program. An error of ours becomes one clear line on standard error and exit code 1; any other
 * is a defect and comes with its stack.
 */
export async function runProgram(
  name: string,
  start: () => Promise<void>,
  host: ProgramHost = process,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    host.stderr.write(`${name}: ${explain(error)}\n`);
    host.exit(1);
  }
}

function explain(error: unknown): string {
  if (error instanceof NexusError) return redactText(error.message);
  return redactText(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
