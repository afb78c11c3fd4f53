import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { SpoolError, SpoolInUseError } from './errors.ts';
import { judgeOwner, OwnerLock, systemProcessTable } from './owner-lock.ts';
import type { OwnerRecord, ProcessTable } from './owner-lock.ts';
import { withSpool } from './testing/spool.ts';

const self = { pid: 7, startTime: '700', host: 'here', bootId: 'boot', pidNamespace: 'ns' };
const table: ProcessTable = {
  self: () => self,
  startTimeOf: (pid) => ({ 7: '700', 8: '800' })[pid],
};
const owner = (overrides: Partial<OwnerRecord> = {}): OwnerRecord => ({
  token: 'another',
  ...self,
  pid: 8,
  startTime: '800',
  ...overrides,
});
const ignore = () => undefined;

describe('the owner of a spool folder', () => {
  it.each([
    { title: 'lives when its process does', state: 'live', record: {} },
    { title: 'is dead when its process is', state: 'stale', record: { pid: 9 } },
    {
      title: 'is dead when its process id belongs to a later process',
      state: 'stale',
      record: { startTime: '1' },
    },
    { title: 'cannot be seen in another container', state: 'unknown', record: { pidNamespace: 'other' } },
    {
      title: 'cannot be seen on another machine',
      state: 'unknown',
      record: { host: 'there', bootId: 'other' },
    },
    { title: 'is not trusted to be alive after a reboot', state: 'unknown', record: { bootId: 'other' } },
    {
      title: 'is not known where there are no start times',
      state: 'unknown',
      record: { startTime: 'unknown' },
    },
  ])('$title', ({ state, record }) => {
    expect(judgeOwner(owner(record), table)).toBe(state);
  });

  it('keeps others out until it lets go', () =>
    withSpool(async (spoolDir) => {
      const lock = await OwnerLock.acquire({ spoolDir, onStolen: ignore });
      const second = OwnerLock.acquire({ spoolDir, onStolen: ignore });
      await expect(second).rejects.toThrow(SpoolInUseError);
      await expect(second).rejects.toThrow(new RegExp(`in use by process ${process.pid} .*SPOOL_DIR`));
      lock.release();
      const third = await OwnerLock.acquire({ spoolDir, onStolen: ignore });
      third.release();
      expect(readdirSync(spoolDir)).toEqual([]);
    }));

  it('is one of many that want it at once', () =>
    withSpool(async (spoolDir) => {
      writeFileSync(
        join(spoolDir, 'owner.json'),
        JSON.stringify({ ...owner(), ...systemProcessTable.self(), pid: 0 }),
      );
      const attempts = Array.from({ length: 8 }, () => OwnerLock.acquire({ spoolDir, onStolen: ignore }));
      const results = await Promise.allSettled(attempts);
      const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(locks).toHaveLength(1);
      for (const lock of locks) lock.release();
    }));

  it('is replaced after it was killed, by the process that comes next', () =>
    withSpool(async (spoolDir) => {
      const source = `import { OwnerLock } from ${JSON.stringify(new URL('owner-lock.ts', import.meta.url).href)};
        await OwnerLock.acquire({ spoolDir: ${JSON.stringify(spoolDir)}, onStolen() {} });
        console.log('locked'); setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', source]);
      await once(child.stdout, 'data');
      const refused = OwnerLock.acquire({ spoolDir, onStolen: ignore });
      await expect(refused).rejects.toThrow(`process ${child.pid}`);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const lock = await OwnerLock.acquire({ spoolDir, onStolen: ignore });
      lock.release();
    }));

  it('of another container is watched: it keeps the folder while its heart beats', () =>
    withSpool(async (spoolDir) => {
      const path = join(spoolDir, 'owner.json');
      writeFileSync(path, JSON.stringify(owner({ host: 'there' })));
      const beat = setInterval(() => utimesSync(path, new Date(), new Date()), 5);
      const attempt = OwnerLock.acquire({ spoolDir, table, onStolen: ignore, silenceMs: 50 });
      await expect(attempt).rejects.toThrow(/process 8 on there/);
      clearInterval(beat);
      const lock = await OwnerLock.acquire({ spoolDir, table, onStolen: ignore, silenceMs: 50 });
      lock.release();
    }));

  it('that left an unreadable record is taken for dead when its heart stands still', () =>
    withSpool(async (spoolDir) => {
      const path = join(spoolDir, 'owner.json');
      writeFileSync(path, '{"tok');
      utimesSync(path, new Date(0), new Date(0));
      const lock = await OwnerLock.acquire({ spoolDir, onStolen: ignore });
      lock.release();
      expect(readdirSync(spoolDir)).toEqual([]);
    }));

  it('notices that another one took over', () =>
    withSpool(async (spoolDir) => {
      vi.useFakeTimers();
      try {
        const onStolen = vi.fn<() => void>();
        const lock = await OwnerLock.acquire({ spoolDir, onStolen });
        vi.advanceTimersByTime(5000);
        expect(onStolen).not.toHaveBeenCalled();
        rmSync(join(spoolDir, 'owner.json'));
        writeFileSync(join(spoolDir, 'owner.json'), JSON.stringify(owner()));
        vi.advanceTimersByTime(5000);
        expect(onStolen).toHaveBeenCalledOnce();
        lock.release();
        expect(readdirSync(spoolDir)).toEqual(['owner.json']);
      } finally {
        vi.useRealTimers();
      }
    }));

  it('needs a folder', async () => {
    const attempt = OwnerLock.acquire({ spoolDir: '/nonexistent/spool', onStolen: ignore });
    await expect(attempt).rejects.toThrow(SpoolError);
    await expect(attempt).rejects.toThrow(/SPOOL_DIR/);
  });
});
