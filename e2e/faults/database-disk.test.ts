import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { DatabaseServer } from './database-server.ts';
import { checkBooks } from './ledger.ts';
import { Load } from './load.ts';
import { Site } from './site.ts';
import { fillDisk, mountSmallDisk, unmount } from './small-disk.ts';

const MEBIBYTE = 2 ** 20;

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site<DatabaseServer> | undefined;
let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  await site?.stop();
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
  site = undefined;
});

/** Room for nothing but what is there. */
async function fillTables(disk: string): Promise<void> {
  await fillDisk(path.join(disk, 'filler'), disk, MEBIBYTE / 4);
}

/** As above, and the log needs a new file at once: the server cannot go on. */
async function fillLog(disk: string, database: DatabaseServer): Promise<void> {
  await fillTables(disk);
  const writes = Array.from({ length: 12 }, () => ['select pg_switch_wal()', 'select txid_current()']).flat();
  await database.run(...writes).catch(() => undefined);
}

describe('a database whose disk fills up under load', () => {
  it.for([
    ['refuses to grow', fillTables, false],
    ['cannot write its log and ends', fillLog, true],
  ] as const)('so that it %s costs nothing once there is room again', async ([, fill, ends], context) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-small-database-'));
    cleanUp.push(async () => rm(folder, { recursive: true, force: true }));
    // The server runs as nobody and has to get there.
    await chmod(folder, 0o755);
    const disk = path.join(folder, 'disk');
    const reason = await mountSmallDisk(disk, 240 * MEBIBYTE);
    context.skip(reason !== undefined, reason);
    cleanUp.push(() => unmount(disk));
    const database = await DatabaseServer.start(disk);
    const running = (site = await Site.start({ database }));
    const { proxy } = running;
    const load = new Load({ urls: running.urls });
    await load.more(20);
    await fill(disk, database);
    await proxy.untilMetric('recorder_batch_failures_total', (count) => count > 0);
    await load.more(20);
    await rm(path.join(disk, 'filler'));
    expect(await database.revive()).toBe(ends);
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    await checkBooks(running, load.receipts);
    expect(await proxy.metric('recorder_quarantined_records_total')).toBe(0);
  });
});
