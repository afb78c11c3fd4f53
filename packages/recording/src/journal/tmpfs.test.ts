import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { listSegments } from './segment-files.ts';
import {
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';

/** Programs of the system, where there are any. */
const SYSTEM = { mount: 'mount', unmount: 'umount' };
const DISK_BYTES = 4 * 1024 * 1024;

/** undefined: mounted; else why not. */
function mountSmallDisk(folder: string): string | undefined {
  try {
    mkdirSync(folder);
    execFileSync(SYSTEM.mount, ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return `no small disk can be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe('a spool on a disk that is full', () => {
  it('loses whole exchanges, deletes what is shipped, and records again', (context) =>
    withSpool(async (parent) => {
      expect.hasAssertions();
      const spoolDir = join(parent, 'disk');
      const reason = mountSmallDisk(spoolDir);
      context.skip(reason !== undefined, reason);
      try {
        await fillAndRecover(spoolDir);
      } finally {
        execFileSync(SYSTEM.unmount, ['-l', spoolDir]);
        rmSync(spoolDir, { recursive: true, force: true });
      }
    }));
});

async function fillAndRecover(spoolDir: string): Promise<void> {
  const test = openTestWriter(spoolDir, { segmentBytes: 256 * 1024 });
  const request = [Buffer.alloc(100_000, 'r')];
  const ids: string[] = [];
  for (let index = 0; index < 60; index++) ids.push(await recordExchange(test.writer, { request }));
  const lost = test.writer.lostCounts.disk_full;
  expect(lost).toBeGreaterThan(10);
  expect(test.log.failing).toEqual(['disk_full']);
  // Not even the small file that says what is acknowledged finds room now.
  const { bavail, bsize } = statfsSync(spoolDir);
  if (bavail > 0) writeFileSync(join(spoolDir, 'filler'), Buffer.alloc(bavail * bsize));
  const reader = openTestReader(spoolDir, { writer: test });
  const read = await readEverything(reader);
  expect(read.filter(({ closing }) => closing === 'end')).toHaveLength(60 - lost);
  expect(read.every(({ damaged }) => !damaged)).toBe(true);
  for (const { id } of read) reader.ack(id);
  expect(listSegments(spoolDir).length).toBeLessThanOrEqual(2);
  await expect
    .poll(async () => {
      await recordExchange(test.writer, { request });
      return test.writer.budget.failing;
    })
    .toBeUndefined();
  const after = await recordExchange(test.writer, { request });
  expect((await readEverything(reader)).map(({ id }) => id)).toContain(after);
  expect(test.log.failing).toEqual(['disk_full', undefined]);
  reader.close();
  await test.writer.close();
}
