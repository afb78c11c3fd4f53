import { createLogger } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';

/** A logger whose lines a test can read. */
export function captureLogger(): { log: Logger; text: () => string } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLogger({ name: 'test', level: 'debug', destination }), text: () => lines.join('') };
}
