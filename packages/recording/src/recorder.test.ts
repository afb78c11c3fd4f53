import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createLogger, createMetrics } from '@claude-nexus/runtime';
import type { Metrics } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { SpoolError, SpoolInUseError } from './journal/errors.ts';
import { createFailingFs } from './journal/testing/failing-fs.ts';
import { beginMeta, withSpool } from './journal/testing/spool.ts';
import { disabledRecorder, openRecorder } from './recorder.ts';
import type { RecorderOptions } from './recorder.ts';
import type { Recorder } from './types.ts';

interface LogLine {
  level: string;
  msg: string;
  id?: string;
  closing?: string;
  [field: string]: unknown;
}

interface Started {
  recorder: Recorder;
  lines: LogLine[];
  metrics: Metrics;
  /** Ids the worker has read, in order. */
  read: () => string[];
}

async function start(spoolDir: string, options: Partial<RecorderOptions> = {}): Promise<Started> {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const metrics = createMetrics({ component: 'test', processMetrics: false });
  const recorder = await openRecorder({
    spoolDir,
    spoolMaxBytes: 64 * 1024 * 1024,
    databaseUrl: 'postgres://unused',
    recorderId: 'test',
    logger: createLogger({ name: 'test', level: 'info', destination }),
    metrics,
    workerUrl: new URL('journal/testing/worker-fixture.ts', import.meta.url),
    ...options,
  });
  const read = () => lines.flatMap((line) => (line.msg === 'read' ? [String(line.id)] : []));
  return { recorder, lines, metrics, read };
}

async function record(recorder: Recorder, domain = 'claude.example.com'): Promise<string> {
  const recording = recorder.begin(beginMeta({ domain }));
  recording.requestChunk(Buffer.from('question'));
  recording.requestEnd();
  recording.responseHead({ status: 200, headers: [], at: beginMeta().startedAt });
  recording.responseChunk(Buffer.from('answer'), beginMeta().startedAt);
  await recording.end({ outcome: 'completed', endedAt: Date.now(), status: 200 });
  return recording.id;
}

const settled = { timeout: 10_000, interval: 10 };
/** For a worker that is started four times. */
const patient = { timeout: 45_000, interval: 10 };
const FINISH = { deadlineMs: 10_000, ship: true };
const LEAVE = { deadlineMs: 10_000, ship: false };

describe('the recorder', () => {
  it('hands what it records to the worker, counts, and is empty when all is acknowledged', () =>
    withSpool(async (spoolDir) => {
      const { recorder, read, metrics } = await start(spoolDir);
      const ids = [await record(recorder), await record(recorder)];
      await recorder.close(FINISH);
      expect(read()).toEqual(ids);
      expect(recorder.stats()).toMatchObject({
        begunExchanges: 2,
        unshippedExchanges: 0,
        openExchanges: 0,
        spoolBytes: 0,
        queuedBytes: 0,
        rememberedBytes: 0,
        workerRestarts: 0,
      });
      const text = await metrics.registry.metrics();
      expect(text).toMatch(/claude_nexus_recorder_begun_exchanges_total\{.*\} 2\n/);
      expect(text).toMatch(/claude_nexus_exchanges_total\{.*\} 2\n/);
      expect(text).toMatch(
        /claude_nexus_recorder_lost_exchanges_total\{reason="disk_full",component="test"\} 0\n/,
      );
    }));

  it('keeps its folder to itself, with modes that keep others out', () =>
    withSpool(async (parent) => {
      const spoolDir = join(parent, 'deep', 'spool');
      const { recorder } = await start(spoolDir);
      await expect(start(spoolDir)).rejects.toThrow(SpoolInUseError);
      await record(recorder);
      expect(statSync(spoolDir).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(spoolDir)) expect(statSync(join(spoolDir, name)).mode & 0o077).toBe(0);
      await recorder.close(FINISH);
      const next = await start(spoolDir);
      await next.recorder.close(FINISH);
    }));

  it('refuses a folder that cannot be made, naming the setting', () =>
    withSpool(async (parent) => {
      writeFileSync(join(parent, 'file'), '');
      const attempt = start(join(parent, 'file', 'spool'));
      await expect(attempt).rejects.toThrow(SpoolError);
      await expect(attempt).rejects.toThrow(/SPOOL_DIR/);
    }));

  it('with a spool that lasts ends at once, and the next start ships', () =>
    withSpool(async (spoolDir) => {
      const first = await start(spoolDir, { workerSettings: { hold: true } });
      const ids = [await record(first.recorder), await record(first.recorder)];
      await expect.poll(() => first.read(), settled).toHaveLength(2);
      const before = performance.now();
      await first.recorder.close(LEAVE);
      expect(performance.now() - before).toBeLessThan(2000);
      expect(first.recorder.stats().lostExchanges.abandoned).toBe(0);
      expect(first.lines.at(-1)).toMatchObject({ level: 'info', exchanges: 2 });
      const second = await start(spoolDir);
      await second.recorder.close(FINISH);
      expect(second.read()).toEqual(ids);
      expect(second.lines.every(({ recovered }) => recovered !== false)).toBe(true);
      expect(second.recorder.stats().spoolBytes).toBe(0);
    }));

  it('without one waits for the worker until the deadline, then counts and logs what it abandons', () =>
    withSpool(async (spoolDir) => {
      const { recorder, lines } = await start(spoolDir, { workerSettings: { hold: true } });
      await record(recorder);
      await record(recorder);
      await recorder.close({ deadlineMs: 200, ship: true });
      expect(recorder.stats().lostExchanges.abandoned).toBe(2);
      expect(lines.find(({ level }) => level === 'error')).toMatchObject({ exchanges: 2 });
    }));

  it('counts as abandoned also what has ended while the worker did not look', () =>
    withSpool(async (spoolDir) => {
      const workerSettings = { hangOn: 'endless.example' };
      const { recorder, lines } = await start(spoolDir, { workerSettings });
      const open = recorder.begin(beginMeta());
      open.requestEnd();
      await expect.poll(() => recorder.stats().queuedBytes, settled).toBe(0);
      const endless = await record(recorder, 'endless.example');
      const hanging = () => lines.find(({ msg }) => msg === 'hangs');
      await expect.poll(hanging, settled).toMatchObject({ id: endless });
      expect(recorder.stats().unshippedExchanges).toBe(1);
      await open.end({ outcome: 'completed', endedAt: 1 });
      expect(recorder.stats().unshippedExchanges).toBe(2);
      await recorder.close({ deadlineMs: 0, ship: true });
      expect(recorder.stats().lostExchanges.abandoned).toBe(2);
    }));

  it('ends what is still open as interrupted when it is closed', () =>
    withSpool(async (spoolDir) => {
      const { recorder, read } = await start(spoolDir);
      const recording = recorder.begin(beginMeta());
      await recorder.close(FINISH);
      expect(read()).toEqual([recording.id]);
      const after = recorder.begin(beginMeta());
      await after.end({ outcome: 'completed', endedAt: 1 });
      expect(recorder.stats().lostExchanges.closed).toBe(1);
    }));

  it('restarts a worker that crashes; what it died of twice goes to quarantine, the rest is shipped', () =>
    withSpool(async (spoolDir) => {
      const { recorder, read, lines } = await start(spoolDir, {
        workerSettings: { crashOn: 'poison.example' },
      });
      const before = await record(recorder);
      const poison = await record(recorder, 'poison.example');
      const after = await record(recorder);
      await expect.poll(() => new Set(read()), settled).toEqual(new Set([before, after]));
      await recorder.close(FINISH);
      expect(recorder.stats()).toMatchObject({
        workerRestarts: 2,
        quarantinedRecords: 1,
        unshippedExchanges: 0,
      });
      expect(readdirSync(join(spoolDir, 'quarantine'))).toContain(`${poison}.records`);
      expect(readFileSync(join(spoolDir, 'quarantine', `${poison}.json`), 'utf8')).toContain(
        'crashed the worker',
      );
      const crashes = lines.filter(({ exchangeId }) => exchangeId === poison);
      expect(crashes).toHaveLength(2);
    }));

  it('restarts a worker that hangs, and sets aside what it hung in', () =>
    withSpool(async (spoolDir) => {
      const workerSettings = { hangOn: 'endless.example' };
      const { recorder, read } = await start(spoolDir, { workerSettings, workerHangMs: 50 });
      await record(recorder, 'endless.example');
      const after = await record(recorder);
      await expect.poll(() => read(), settled).toContain(after);
      await recorder.close(FINISH);
      expect(recorder.stats()).toMatchObject({ workerRestarts: 2, quarantinedRecords: 1 });
    }));

  it.each([
    ['ends', { crashOn: 'poison.example' }],
    ['hangs', { hangOn: 'poison.example' }],
  ])(
    'finds the culprit of a worker that %s while it commits a batch, and commits the rest',
    (_, settings) =>
      withSpool(async (spoolDir) => {
        const { recorder, lines } = await start(spoolDir, {
          workerUrl: new URL('pipeline/testing/committing-worker.ts', import.meta.url),
          workerSettings: { ...settings, batch: 4 },
          workerHangMs: 200,
        });
        const ids = [];
        for (const domain of ['a.example', 'poison.example', 'b.example', 'c.example']) {
          ids.push(await record(recorder, domain));
        }
        const [first, poison, ...rest] = ids;
        const committed = () => lines.flatMap((line) => (line['ids'] as string[] | undefined) ?? []);
        await expect.poll(() => new Set(committed()), patient).toEqual(new Set([first, ...rest]));
        await recorder.close(FINISH);
        // Once with the others, twice alone.
        expect(recorder.stats()).toMatchObject({
          workerRestarts: 3,
          quarantinedRecords: 1,
          unshippedExchanges: 0,
        });
        expect(readdirSync(join(spoolDir, 'quarantine'))).toContain(`${poison}.records`);
      }),
    60_000,
  );

  it('tells the worker of exchanges that were lost half way', () =>
    withSpool(async (spoolDir) => {
      const fs = createFailingFs();
      const { recorder, lines } = await start(spoolDir, { fs });
      const recording = recorder.begin(beginMeta());
      recording.requestEnd();
      await expect.poll(() => recorder.stats().queuedBytes, settled).toBe(0);
      fs.fault = 'ENOSPC';
      await recording.end({ outcome: 'completed', endedAt: 1 });
      const read = () => lines.find(({ id }) => id === recording.id);
      await expect.poll(read, settled).toMatchObject({ closing: 'lost', lost: 'disk_full' });
      expect(recorder.stats()).toMatchObject({ spoolFailing: true, lostExchanges: { disk_full: 1 } });
      expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
      fs.fault = undefined;
      await recorder.close(FINISH);
    }));

  it('without a database fills the spool and ends without waiting', () =>
    withSpool(async (spoolDir) => {
      const { databaseUrl: _, ...options } = { databaseUrl: '' } as Partial<RecorderOptions>;
      const { recorder } = await start(spoolDir, { ...options, workerSettings: { hold: true } });
      await record(recorder);
      await recorder.close(LEAVE);
      expect(recorder.stats().spoolBytes).toBeGreaterThan(0);
    }));

  it('writes no credential of a request to disk', () =>
    withSpool(async (spoolDir) => {
      const { recorder } = await start(spoolDir, { workerSettings: { hold: true } });
      const recording = recorder.begin(
        beginMeta({
          path: '/v1/messages?api_key=canary-1&beta=true',
          headers: [
            'X-Api-Key',
            'canary-2',
            'Cookie',
            'canary-3',
            'x-claude-code-settings-checksum',
            'canary-4',
          ],
        }),
      );
      recording.responseHead({ status: 200, headers: ['Set-Cookie', 'canary-5'], at: 1 });
      const errorMessage = 'refused Bearer sk-ant-canary-6';
      await recording.end({ outcome: 'error', endedAt: 1, errorMessage });
      await recorder.close(LEAVE);
      const files = readdirSync(spoolDir, { recursive: true, withFileTypes: true }).filter((file) =>
        file.isFile(),
      );
      const text = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n');
      expect(text).toContain('X-Api-Key');
      expect(text).not.toContain('canary');
    }));
});

describe('the disabled recorder', () => {
  it('gives ids and records nothing', async () => {
    const recorder = disabledRecorder();
    const recording = recorder.begin(beginMeta());
    recording.requestChunk(Buffer.from('x'));
    await recording.end({ outcome: 'completed', endedAt: 1 });
    expect(recording.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(recorder.stats()).toMatchObject({ enabled: false, begunExchanges: 0 });
    await recorder.close(FINISH);
  });
});
