import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { JournalControl } from './control.ts';
import { listSegments } from './segment-files.ts';
import {
  beginMeta,
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';
import type { JournalExchange } from './types.ts';

/** One segment with a small exchange for each text; returns its bytes and the ids. */
async function smallSegment(
  spoolDir: string,
  texts: readonly string[] = ['one', 'two', 'three'],
): Promise<{ name: string; bytes: Buffer; ids: string[]; ends: number[] }> {
  const test = openTestWriter(spoolDir);
  const ids: string[] = [];
  const ends: number[] = [];
  for (const text of texts) {
    const body = [Buffer.from(text)];
    ids.push(await recordExchange(test.writer, { request: body, response: body, begin: { headers: [] } }));
    ends.push(test.control.position().offset);
  }
  await test.writer.close();
  const name = listSegments(spoolDir)[0]?.name ?? '';
  return { name, bytes: readFileSync(join(spoolDir, name)), ids, ends };
}

/** Reads the segments as if nothing had been acknowledged or set aside before. */
async function readSpool(
  spoolDir: string,
): Promise<{ exchanges: JournalExchange[]; control: JournalControl }> {
  for (const trace of ['acknowledged.json', 'quarantine']) {
    rmSync(join(spoolDir, trace), { recursive: true, force: true });
  }
  const control = new JournalControl();
  const reader = openTestReader(spoolDir, { control: control.memory });
  const exchanges = await readEverything(reader);
  // Bodies are read while the files are open.
  for (const exchange of exchanges) {
    exchange.requestBody();
    exchange.response();
  }
  reader.close();
  return { exchanges, control };
}

const ended = (exchanges: JournalExchange[]) =>
  exchanges.filter(({ closing, damaged }) => closing === 'end' && !damaged).map(({ id }) => id);

describe('after the process has died', () => {
  it('what had no end record is interrupted, with what had arrived', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { flushIntervalMs: 1 });
      const recording = test.writer.begin(beginMeta());
      recording.requestChunk(Buffer.from('question'));
      recording.requestEnd();
      recording.responseChunk(Buffer.from('half an ans'), beginMeta().startedAt);
      await expect.poll(() => test.writer.writes).toBeGreaterThan(0);
      await expect.poll(() => listSegments(spoolDir)[0]?.size ?? 0).toBeGreaterThan(100);
      const control = new JournalControl();
      const reader = openTestReader(spoolDir, { control: control.memory });
      const [exchange] = await readEverything(reader);
      expect(exchange).toMatchObject({
        id: recording.id,
        closing: 'interrupted',
        recovered: true,
        end: undefined,
      });
      expect(exchange?.requestBody().toString()).toBe('question');
      expect(exchange?.response().bytes.toString()).toBe('half an ans');
      expect(control.counter('interrupted')).toBe(1);
      reader.close();
      await test.writer.close();
    }));

  it('every cut of the last record costs that record only', () =>
    withSpool(async (spoolDir) => {
      const { name, bytes, ids, ends } = await smallSegment(spoolDir);
      for (let length = bytes.length; length > (ends[1] ?? 0); length--) {
        writeFileSync(join(spoolDir, name), bytes.subarray(0, length));
        const { exchanges, control } = await readSpool(spoolDir);
        const whole = length === bytes.length ? ids : ids.slice(0, 2);
        expect(ended(exchanges), `cut to ${length} bytes`).toEqual(whole);
        expect(control.counter('quarantined'), `cut to ${length} bytes`).toBe(0);
      }
    }));

  it('blank space at the end, as a power loss leaves it, is no alarm', () =>
    withSpool(async (spoolDir) => {
      const { name, bytes, ids } = await smallSegment(spoolDir);
      writeFileSync(join(spoolDir, name), Buffer.concat([bytes, Buffer.alloc(10_000)]));
      const { exchanges, control } = await readSpool(spoolDir);
      expect(ended(exchanges)).toEqual(ids);
      expect(control.counter('quarantined')).toBe(0);
    }));

  it('a flipped byte anywhere costs no exchange but its own, and no wrong byte passes for right', () =>
    withSpool(async (spoolDir) => {
      const texts = ['one', 'two'];
      const { name, bytes, ids, ends } = await smallSegment(spoolDir, texts);
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(join(spoolDir, name), flipped);
        const { exchanges } = await readSpool(spoolDir);
        const hit = ends.findIndex((end) => at < end);
        const others = ids.filter((_, index) => index !== hit);
        expect(ended(exchanges), `flipped at ${at}`).toEqual(others);
        for (const exchange of exchanges) {
          const expected = texts[ids.indexOf(exchange.id)] ?? '';
          expect(expected.startsWith(exchange.requestBody().toString())).toBe(true);
          expect(expected.startsWith(exchange.response().bytes.toString())).toBe(true);
        }
      }
    }));

  it('corrupt bytes are kept in quarantine, with what is left of their exchange', () =>
    withSpool(async (spoolDir) => {
      const { name, bytes, ids } = await smallSegment(spoolDir);
      const flipped = Buffer.from(bytes);
      // In the JSON of the first begin record.
      flipped[40] = (flipped[40] ?? 0) ^ 1;
      writeFileSync(join(spoolDir, name), flipped);
      const { exchanges, control } = await readSpool(spoolDir);
      expect(ended(exchanges)).toEqual(ids.slice(1));
      expect(control.counter('corruptBytes')).toBeGreaterThan(40);
      expect(control.counter('quarantined')).toBe(2);
      const kept = readdirSync(join(spoolDir, 'quarantine')).filter((file) => file.endsWith('.records'));
      const all = Buffer.concat(kept.map((file) => readFileSync(join(spoolDir, 'quarantine', file))));
      expect(all.length).toBeGreaterThan(bytes.length / 4);
      expect(all.includes(flipped.subarray(0, 60))).toBe(true);
    }));

  it('a record a client wrote into its body does not pass for one, even behind corrupt bytes', () =>
    withSpool(async (spoolDir) => {
      const other = join(spoolDir, 'elsewhere');
      mkdirSync(other);
      const forged = await smallSegment(other);
      const test = openTestWriter(spoolDir);
      const id = await recordExchange(test.writer, { request: [forged.bytes] });
      await test.writer.close();
      const name = listSegments(spoolDir)[0]?.name ?? '';
      const bytes = readFileSync(join(spoolDir, name));
      const inside = bytes.indexOf(forged.bytes);
      bytes[inside - 5] = (bytes[inside - 5] ?? 0) ^ 255;
      writeFileSync(join(spoolDir, name), bytes);
      const { exchanges } = await readSpool(spoolDir);
      expect(exchanges.map((exchange) => exchange.id)).toEqual([id]);
      expect(exchanges[0]).toMatchObject({ damaged: true, requestLength: 0 });
    }));

  it('acknowledged exchanges do not come again, others do, wherever it stopped', () =>
    withSpool(async (spoolDir) => {
      const { ids } = await smallSegment(spoolDir);
      for (let acknowledged = 0; acknowledged <= ids.length; acknowledged++) {
        const copy = join(spoolDir, `copy-${acknowledged}`);
        mkdirSync(copy);
        for (const { name } of listSegments(spoolDir)) copyFileSync(join(spoolDir, name), join(copy, name));
        const first = openTestReader(copy);
        await readEverything(first);
        for (const id of ids.slice(0, acknowledged)) first.ack(id);
        first.close();
        const second = openTestReader(copy);
        const again = await readEverything(second);
        expect(again.map(({ id }) => id)).toEqual(ids.slice(acknowledged));
        expect(listSegments(copy)).toHaveLength(acknowledged === ids.length ? 0 : 1);
        second.close();
      }
    }));

  it('the rest of an exchange that was acknowledged before is not taken for a new one', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const long = test.writer.begin(beginMeta());
      const slow = test.writer.begin(beginMeta());
      slow.requestEnd();
      long.requestEnd();
      await slow.end({ outcome: 'completed', endedAt: 1 });
      const reader = openTestReader(spoolDir, { writer: test });
      for (const { id } of await readEverything(reader)) reader.ack(id);
      reader.close();
      await test.writer.close();
      const next = openTestReader(spoolDir);
      expect((await readEverything(next)).map(({ id }) => id)).toEqual([long.id]);
      next.close();
    }));

  it('an unreadable acknowledgement file only means that more is read again', () =>
    withSpool(async (spoolDir) => {
      const { ids } = await smallSegment(spoolDir);
      writeFileSync(join(spoolDir, 'acknowledged.json'), '{"0000000001-');
      const { exchanges } = await readSpool(spoolDir);
      expect(ended(exchanges)).toEqual(ids);
    }));

  it('a second process writes behind the first, and both are read in order', () =>
    withSpool(async (spoolDir) => {
      const { ids } = await smallSegment(spoolDir);
      const test = openTestWriter(spoolDir);
      const id = await recordExchange(test.writer);
      const reader = openTestReader(spoolDir, { writer: test });
      const exchanges = await readEverything(reader);
      expect(exchanges.map((exchange) => [exchange.id, exchange.recovered])).toEqual([
        ...ids.map((old) => [old, true]),
        [id, false],
      ]);
      reader.close();
      await test.writer.close();
    }));
});

describe('quarantine', () => {
  it('takes an exchange with all its records and lets its segment go', () =>
    withSpool(async (spoolDir) => {
      const { bytes, ids, ends } = await smallSegment(spoolDir);
      const control = new JournalControl();
      const reader = openTestReader(spoolDir, { control: control.memory });
      await readEverything(reader);
      reader.quarantine(ids[1] as string, {
        reason: 'bad-record',
        error: new Error('Bearer sk-ant-canary-0000'),
      });
      reader.ack(ids[0] as string);
      reader.ack(ids[2] as string);
      expect(listSegments(spoolDir)).toEqual([]);
      const folder = join(spoolDir, 'quarantine');
      expect(readFileSync(join(folder, `${ids[1]}.records`))).toEqual(bytes.subarray(ends[0], ends[1]));
      expect(readFileSync(join(folder, `${ids[1]}.json`), 'utf8')).not.toContain('canary');
      expect(control.counter('quarantined')).toBe(1);
      reader.close();
    }));

  it('stays within its bound, the oldest makes room', () =>
    withSpool(async (spoolDir) => {
      const { bytes, ids, ends } = await smallSegment(spoolDir);
      const control = new JournalControl();
      const quarantineMaxBytes = bytes.length - (ends[0] ?? 0);
      const reader = openTestReader(spoolDir, { control: control.memory, quarantineMaxBytes });
      await readEverything(reader);
      for (const id of ids) reader.quarantine(id, { reason: 'bad-record' });
      const kept = readdirSync(join(spoolDir, 'quarantine')).filter((file) => file.endsWith('.records'));
      expect(kept.toSorted()).toEqual([`${ids[1]}.records`, `${ids[2]}.records`]);
      expect(control.counter('quarantineBytes')).toBeLessThanOrEqual(quarantineMaxBytes);
      expect(control.counter('quarantined')).toBe(3);
      reader.close();
    }));

  it('takes by itself what a worker died of twice', () =>
    withSpool(async (spoolDir) => {
      const { ids } = await smallSegment(spoolDir);
      const once = openTestReader(spoolDir, { suspects: [{ id: ids[0] as string, attempts: 1 }] });
      expect((await readEverything(once)).map(({ id }) => id)).toEqual(ids);
      once.close();
      const twice = openTestReader(spoolDir, { suspects: [{ id: ids[0] as string, attempts: 2 }] });
      expect((await readEverything(twice)).map(({ id }) => id)).toEqual(ids.slice(1));
      expect(readdirSync(join(spoolDir, 'quarantine'))).toContain(`${ids[0]}.records`);
      twice.close();
    }));
});
