import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { openTestReader, readEverything, withSpool } from './testing/spool.ts';

const ROUNDS = 4;

describe('a process killed while it writes', () => {
  it(
    'loses no exchange whose end had resolved',
    () =>
      withSpool(async (spoolDir) => {
        const promised = new Set<string>();
        for (let round = 1; round <= ROUNDS; round++) {
          for (const id of await writeUntilKilled(spoolDir, 150 * round)) promised.add(id);
        }
        const reader = openTestReader(spoolDir);
        const read = await readEverything(reader);
        const whole = new Set(
          read.filter(({ closing, damaged }) => closing === 'end' && !damaged).map(({ id }) => id),
        );
        expect(promised.size).toBeGreaterThan(ROUNDS);
        expect([...promised].filter((id) => !whole.has(id))).toEqual([]);
        const answers = read
          .filter(({ closing }) => closing === 'end')
          .map((exchange) => exchange.response().bytes.length);
        expect(new Set(answers).size).toBe(1);
        reader.close();
      }),
    20_000,
  );
});

/** Kills the writer after it has printed `count` ids; every id it printed was promised. */
async function writeUntilKilled(spoolDir: string, count: number): Promise<string[]> {
  const program = fileURLToPath(new URL('testing/endless-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [program, spoolDir, '8'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    printed += String(chunk);
    if (printed.length > count * 37) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return printed.split('\n').filter((line) => line.length === 36);
}
