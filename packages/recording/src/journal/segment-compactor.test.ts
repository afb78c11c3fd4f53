import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ExchangeRecording } from '../types.ts';
import { listSegments } from './segment-files.ts';
import {
  beginMeta,
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';
import type { TestWriter } from './testing/spool.ts';
import type { JournalReader } from './types.ts';

const SEGMENT = 100_000;

/** One long stream among short exchanges that are acknowledged as they end. */
async function longStream(
  test: TestWriter,
  reader: JournalReader,
): Promise<{ stream: ExchangeRecording; sent: Buffer[]; most: number }> {
  const stream = test.writer.begin(beginMeta());
  const request = Buffer.alloc(2000, 'q');
  stream.requestChunk(request);
  stream.requestEnd();
  const sent: Buffer[] = [];
  let most = 0;
  for (let index = 0; index < 60; index++) {
    const chunk = Buffer.alloc(100 + index, index);
    sent.push(chunk);
    stream.responseChunk(chunk, beginMeta().startedAt + index);
    test.writer.flush();
    await recordExchange(test.writer, { request: [Buffer.alloc(40_000, index)] });
    for (const { id } of await readEverything(reader)) reader.ack(id);
    most = Math.max(most, test.writer.budget.usedBytes());
  }
  return { stream, sent, most };
}

const onDisk = (spoolDir: string) => listSegments(spoolDir).reduce((sum, { size }) => sum + size, 0);

describe('a long stream among short exchanges', () => {
  it('does not keep their bytes on disk, and is read exactly', () =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      const reader = openTestReader(spoolDir, { writer: test });
      const { stream, sent, most } = await longStream(test, reader);
      expect(most).toBeLessThan(6 * SEGMENT);
      expect(test.writer.budget.usedBytes()).toBe(onDisk(spoolDir));
      await stream.end({ outcome: 'completed', endedAt: 1 });
      const [exchange] = await readEverything(reader);
      expect(exchange).toMatchObject({ id: stream.id, damaged: false });
      expect(exchange?.requestBody().equals(Buffer.alloc(2000, 'q'))).toBe(true);
      expect(exchange?.response().bytes.equals(Buffer.concat(sent))).toBe(true);
      expect(exchange?.response().chunks[2]).toBe(1);
      reader.ack(stream.id);
      await test.writer.close();
      await readEverything(reader);
      expect(listSegments(spoolDir)).toEqual([]);
      reader.close();
    }));

  it('survives a restart, also one in the middle of a replacement', () =>
    withSpool(async (spoolDir) => {
      const before = join(spoolDir, 'before');
      mkdirSync(before);
      const test = openTestWriter(spoolDir, { segmentBytes: SEGMENT });
      const first = openTestReader(spoolDir, { writer: test });
      const { stream, sent } = await longStream(test, first);
      await stream.end({ outcome: 'completed', endedAt: 1 });
      first.close();
      await test.writer.close();
      const compacted = listSegments(spoolDir).find(({ generation }) => generation > 0);
      // As if the old generation had not been deleted yet, and another draft not finished.
      const old = compacted?.name.replace(/\.\d+\.segment$/, '.0.segment') ?? '';
      const anySegment = listSegments(spoolDir).at(-1)?.name ?? '';
      copyFileSync(join(spoolDir, anySegment), join(spoolDir, old));
      copyFileSync(join(spoolDir, anySegment), join(spoolDir, '0000000099-00000000.1.segment.tmp'));
      const second = openTestReader(spoolDir);
      const exchanges = await readEverything(second);
      expect(exchanges).toMatchObject([{ id: stream.id, closing: 'end', damaged: false }]);
      expect(exchanges[0]?.response().bytes.equals(Buffer.concat(sent))).toBe(true);
      second.ack(stream.id);
      expect(readdirSync(spoolDir).filter((name) => name.includes('segment'))).toEqual([]);
      second.close();
    }));
});
