import { expect, it } from 'vitest';

import { serveHealth } from './health.ts';

it('answers ok while a check is well, and its reason with 503 while it is not', async () => {
  let problem: string | undefined = 'caches are not filled';
  const health = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    livez: () => undefined,
    readyz: () => problem,
  });
  const ask = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${health.port}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await ask('/livez')).toEqual([200, 'ok\n']);
  expect(await ask('/readyz?verbose')).toEqual([503, 'caches are not filled\n']);
  problem = undefined;
  expect(await ask('/readyz')).toEqual([200, 'ok\n']);
  expect((await ask('/metrics'))[0]).toBe(404);
  await health.close();
});
