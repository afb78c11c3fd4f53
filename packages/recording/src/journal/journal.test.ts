import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { listSegments } from './segment-files.ts';
import {
  beginMeta,
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';

describe('a journal read back', () => {
  it('gives an exchange exactly as it was recorded, with the arrival of each chunk', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const request = [Buffer.alloc(65_536, 'a'), Buffer.alloc(700_000, 'b'), Buffer.from('c')];
      const response = Array.from({ length: 200 }, (_, index) => Buffer.from(`data: ${index}\n\n`));
      const id = await recordExchange(test.writer, { request, response });
      const reader = openTestReader(spoolDir, { writer: test });
      const [exchange, ...others] = await readEverything(reader);
      expect(others).toEqual([]);
      expect(exchange).toMatchObject({
        id,
        recovered: false,
        requestComplete: true,
        closing: 'end',
        damaged: false,
        begin: { path: '/v1/messages?beta=true', domain: 'claude.example.com', recordBody: true },
        head: { status: 200, headers: ['request-id', 'req_1', 'set-cookie', null] },
        end: { outcome: 'completed', requestLength: 765_537, status: 200 },
      });
      expect(exchange?.requestBody().equals(Buffer.concat(request))).toBe(true);
      const answer = exchange?.response();
      expect(answer?.bytes.equals(Buffer.concat(response))).toBe(true);
      expect(answer?.chunks.slice(0, 4)).toEqual([10, 9, 11, 9]);
      expect(answer?.chunks).toHaveLength(400);
      reader.close();
      await test.writer.close();
    }));

  it('keeps of headers outside the allow-list only the name, on disk', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      await recordExchange(test.writer, { begin: { path: '/v1/messages?key=sk-ant-canary-0000' } });
      await test.writer.close();
      const text = listSegments(spoolDir)
        .map(({ name }) => readFileSync(join(spoolDir, name), 'latin1'))
        .join('');
      expect(text).toContain('Authorization');
      expect(text).toContain('claude-cli/2.1.330');
      expect(text).not.toContain('canary');
      expect(text).not.toContain('secret');
    }));

  it('writes a typical exchange in at most three calls', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const response = Array.from({ length: 200 }, (_, index) => Buffer.from(`data: ${index}\n\n`));
      await recordExchange(test.writer, { request: [Buffer.alloc(76_000)], response });
      expect(test.writer.writes).toBeLessThanOrEqual(3);
      await test.writer.close();
    }));

  it('creates segments for their owner only', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      await recordExchange(test.writer);
      await test.writer.close();
      const modes = listSegments(spoolDir).map(({ name }) => statSync(join(spoolDir, name)).mode & 0o777);
      expect(modes).toEqual([0o600]);
    }));

  it('records no body where only a row is wanted, but its length', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      await recordExchange(test.writer, { begin: { recordBody: false, path: '/v1/models' } });
      const reader = openTestReader(spoolDir, { writer: test });
      const [exchange] = await readEverything(reader);
      expect(exchange).toMatchObject({ requestLength: 0, responseLength: 0, damaged: false });
      expect(exchange?.end).toMatchObject({ requestLength: 13, responseLength: 14 });
      expect(exchange?.requestBody()).toHaveLength(0);
      reader.close();
      await test.writer.close();
    }));

  it('writes a stream in flight at the next tick, so that a sudden death loses little of it', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { flushIntervalMs: 1 });
      const recording = test.writer.begin(beginMeta());
      recording.requestEnd();
      recording.responseChunk(Buffer.from('early'), beginMeta().startedAt);
      const reader = openTestReader(spoolDir, { writer: test });
      await expect
        .poll(async () => {
          await reader.next({ maxBytes: 1e6, timeoutMs: 5 });
          return reader.openExchanges()[0]?.responseLength;
        })
        .toBe(5);
      reader.close();
      await test.writer.close();
    }));

  it('tells open exchanges and the completion of their requests as they come', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const reader = openTestReader(spoolDir, { writer: test });
      const recording = test.writer.begin(beginMeta());
      recording.requestChunk(Buffer.from('body'));
      recording.requestEnd();
      const first = await reader.next({ maxBytes: 1e6, timeoutMs: 5000 });
      expect(first.open.map((exchange) => exchange.requestComplete)).toEqual([true]);
      expect(first.open[0]?.requestBody().toString()).toBe('body');
      await recording.end({ outcome: 'aborted', endedAt: 1 });
      const second = await reader.next({ maxBytes: 1e6, timeoutMs: 5000 });
      expect(second.ended[0]).toBe(first.open[0]);
      expect(second.open).toEqual([]);
      reader.close();
      await test.writer.close();
    }));

  it('wakes a waiting reader at once, and at an abort', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const reader = openTestReader(spoolDir, { writer: test, pollMs: 60_000 });
      const waiting = reader.next({ maxBytes: 1e6, timeoutMs: 60_000 });
      await recordExchange(test.writer);
      expect((await waiting).ended.length + (await waiting).open.length).toBeGreaterThan(0);
      await readEverything(reader);
      const stop = new AbortController();
      const idle = reader.next({ maxBytes: 1e6, timeoutMs: 60_000, signal: stop.signal });
      setImmediate(() => stop.abort());
      expect(await idle).toMatchObject({ ended: [], open: [] });
      reader.close();
      await test.writer.close();
    }));
});

describe('segments', () => {
  it('are rotated, deleted once everything in them is acknowledged, and read in order', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: 4096 });
      const ids: string[] = [];
      for (let index = 0; index < 20; index++) {
        ids.push(await recordExchange(test.writer, { request: [Buffer.alloc(1500, index)] }));
      }
      expect(listSegments(spoolDir).length).toBeGreaterThan(5);
      const reader = openTestReader(spoolDir, { writer: test });
      const read = await readEverything(reader);
      expect(read.map((exchange) => exchange.id)).toEqual(ids);
      // The last one first: a segment stays as long as one exchange in it is needed.
      for (const id of ids.slice(1).toReversed()) reader.ack(id);
      expect(read[0]?.requestBody()).toHaveLength(1500);
      const before = listSegments(spoolDir)[0]?.number;
      reader.ack(ids[0] as string);
      expect(listSegments(spoolDir)[0]?.number).toBeGreaterThan(before ?? 0);
      expect(listSegments(spoolDir)).toHaveLength(1);
      const onDisk = listSegments(spoolDir).reduce((sum, { size }) => sum + size, 0);
      expect(test.writer.budget.usedBytes()).toBe(onDisk);
      expect(() => read[0]?.requestBody()).toThrow(/acknowledged/);
      reader.close();
      await test.writer.close();
    }));

  it('never split a record, even where one is larger than a segment', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: 1024 });
      const request = [Buffer.alloc(300_000, 'x')];
      await recordExchange(test.writer, { request });
      await test.writer.close();
      const reader = openTestReader(spoolDir);
      const [exchange] = await readEverything(reader);
      expect(exchange?.requestBody().equals(request[0] as Buffer)).toBe(true);
      expect(readdirSync(spoolDir).filter((name) => name.endsWith('.segment')).length).toBeGreaterThan(1);
      reader.close();
    }));
});
