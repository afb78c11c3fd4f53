import { DatabaseError } from 'pg';
import { expect, it } from 'vitest';

import { DatabaseUnreachableError, waitForDatabase } from './wait-for-database.ts';

const URL = 'postgresql://owner:marked-password@db.team.svc:5432/nexus';

function failure(code: string): Error {
  if (/^\d/.test(code)) return Object.assign(new DatabaseError('no', 2, 'error'), { code });
  return Object.assign(new Error(code), code === '' ? {} : { code });
}

/** Runs against a database that fails in these ways, one attempt each, and then answers; a second passes per pause. */
async function wait(failures: readonly string[], waitMs: number) {
  const lines: string[] = [];
  const left = [...failures];
  let time = 0;
  await waitForDatabase({
    url: URL,
    waitMs,
    log: (line) => lines.push(line),
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    tryOnce: async () => {
      const code = left.shift();
      if (code !== undefined) throw failure(code);
    },
  }).catch((error: unknown) => lines.push(String(error)));
  return { lines, left: left.length, time };
}

it('returns at once, without a word, when the database answers', async () => {
  expect(await wait([], 1000)).toEqual({ lines: [], left: 0, time: 0 });
});

it('says once what it waits for, and again when the reason changes', async () => {
  const { lines } = await wait(
    ['ENOTFOUND', 'ENOTFOUND', 'ECONNREFUSED', 'ECONNREFUSED', '57P03', ''],
    60_000,
  );
  expect(lines).toEqual(
    ['the name of the host is not known', 'nothing listens there yet', 'it is starting up', 'no answer'].map(
      (reason) => `waiting for the database at db.team.svc:5432: ${reason}`,
    ),
  );
});

it('gives up when the time is over, without the URL', async () => {
  const { lines, time } = await wait(
    Array.from({ length: 9 }, () => 'ECONNREFUSED'),
    3000,
  );
  expect(time).toBe(3000);
  expect(lines.at(-1)).toMatch(
    /^DatabaseUnreachableError: the database at db.team.svc:5432 cannot be reached/,
  );
  expect(lines.join('\n')).not.toContain('marked-password');
  expect(new DatabaseUnreachableError('x').code).toBe('NEXUS_DATABASE_UNREACHABLE');
});

it('does not wait for a database that answers and refuses', async () => {
  const { lines, left } = await wait(['28P01', 'ECONNREFUSED'], 60_000);
  expect({ lines, left }).toEqual({ lines: ['error: no'], left: 1 });
});
