import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const PROGRAM = `
import { createLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
const logger = createLogger({ name: 'test', level: 'info' });
process.once('disconnect', () => {
  for (let line = 0; line < 3; line++) logger.info('nobody reads this');
  process.exit(0);
});
for (let line = 0; line < 50; line++) logger.info('this is not read in time');
process.send('logged');
`;

it('a program ends although the reader of its log went away with lines unread', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child.stdout?.pause();
  await once(child, 'message');
  child.stdout?.destroy();
  const exit = once(child, 'exit');
  child.disconnect();
  expect(await exit).toEqual([0, null]);
});
