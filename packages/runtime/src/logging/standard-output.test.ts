import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

import { standardOutput } from './standard-output.ts';

function failing(code: string): never {
  throw Object.assign(new Error(code), { code });
}

/** A reader with room for so many bytes per attempt, or an error. */
function output(answers: (number | string)[]) {
  const taken: string[] = [];
  let pausedMs = 0;
  const stream = standardOutput({
    write: (bytes) => {
      const answer = answers.shift() ?? bytes.length;
      if (typeof answer === 'string') return failing(answer);
      taken.push(Buffer.from(bytes.subarray(0, answer)).toString());
      return Math.min(answer, bytes.length);
    },
    pause: (ms) => (pausedMs += ms),
  });
  return { stream, taken, pausedMs: () => pausedMs };
}

describe('standard output', () => {
  it('writes a line whole although the reader takes it in parts and makes it wait', () => {
    const { stream, taken } = output([3, 'EAGAIN', 'EAGAIN', 2]);
    stream.write('a line\n');
    expect(taken.join('')).toBe('a line\n');
  });

  it('waits a second for a reader that stands still, and not again before it moves', () => {
    const stuck = output(Array<string>(1000).fill('EAGAIN'));
    stuck.stream.write('dropped\n');
    expect(stuck.pausedMs()).toBe(1000);
    stuck.stream.write('dropped too\n');
    expect(stuck.pausedMs()).toBe(1000);
  });

  it('ends a line it has begun before it begins another', () => {
    const { stream, taken } = output([3, ...Array<string>(101).fill('EAGAIN')]);
    for (const line of ['torn\n', 'next\n']) stream.write(line);
    expect(taken.join('')).toBe('torn\nnext\n');
  });

  it.each(['EPIPE', 'ECONNRESET'])('goes on without a reader that is gone (%s)', (code) => {
    const { stream, taken, pausedMs } = output([code]);
    stream.write('unread\n');
    stream.write('unread, too\n');
    expect({ taken, paused: pausedMs() }).toEqual({ taken: [], paused: 0 });
  });

  it('has written the last of many lines when the program ends in the same tick', async () => {
    const program = `
      import { createLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
      const logger = createLogger({ name: 'test', level: 'info' });
      for (let line = 0; line < 2000; line++) logger.info('line ' + line);
      process.exit(0);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [lines] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(lines.trim().split('\n').length).toBe(2000);
    expect(lines).toContain('line 1999');
  });
});
