import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ExchangeRecording } from '../types.ts';
import { beginMeta, openTestReader, openTestWriter, readEverything, withSpool } from './testing/spool.ts';
import type { JournalExchange } from './types.ts';

const AT = beginMeta().startedAt;

/** What happens to one of a few exchanges, or to the journal. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('request' as const), lane: fc.nat(4), bytes: fc.nat(70_000) }),
  fc.record({ kind: fc.constant('response' as const), lane: fc.nat(4), bytes: fc.nat(40_000) }),
  fc.record({ kind: fc.constant('delta' as const), lane: fc.nat(4), bytes: fc.nat(300) }),
  fc.record({ kind: fc.constant('requestEnd' as const), lane: fc.nat(4) }),
  fc.record({ kind: fc.constant('end' as const), lane: fc.nat(4) }),
  fc.record({ kind: fc.constant('turn' as const) }),
  fc.record({ kind: fc.constant('read' as const) }),
  fc.record({ kind: fc.constant('restartReader' as const) }),
  fc.record({ kind: fc.constant('crashReader' as const) }),
);

interface Lane {
  recording: ExchangeRecording;
  request: Buffer[];
  response: Buffer[];
  requestEnded: boolean;
}

describe('any interleaving of exchanges', () => {
  it('is read back exactly, across reader restarts, and leaves nothing behind', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }),
        fc.integer({ min: 1000, max: 300_000 }),
        (steps, size) => withSpool((spoolDir) => play(spoolDir, steps, size)),
      ),
      { seed: 20261123, numRuns: 60, endOnFailure: true },
    );
  }, 20_000);
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(spoolDir: string, steps: readonly Step[], segmentBytes: number): Promise<void> {
  const test = openTestWriter(spoolDir, { segmentBytes, flushIntervalMs: 1 });
  const lanes: (Lane | undefined)[] = [];
  const ended = new Map<string, Lane>();
  const unread = new Set<string>();
  let crashed = false;
  let reader = openTestReader(spoolDir, { writer: test });
  let fill = 0;
  const laneAt = (index: number): Lane => {
    lanes[index] ??= {
      recording: test.writer.begin(beginMeta()),
      request: [],
      response: [],
      requestEnded: false,
    };
    return lanes[index];
  };
  const check = (exchanges: readonly JournalExchange[]) => {
    for (const exchange of exchanges) {
      // A reader that died may have acknowledged it already: then it comes again, and as a whole.
      const lane = ended.get(exchange.id) as Lane;
      expect(lane).toBeDefined();
      expect(exchange).toMatchObject({ closing: 'end', damaged: false });
      expect(exchange.requestBody().equals(Buffer.concat(lane.request))).toBe(true);
      const { bytes, chunks } = exchange.response();
      expect(bytes.equals(Buffer.concat(lane.response))).toBe(true);
      expect(chunks.filter((_, index) => index % 2 === 1)).toEqual(
        lane.response.map((chunk) => chunk.length),
      );
      expect(crashed || unread.has(exchange.id)).toBe(true);
      unread.delete(exchange.id);
      reader.ack(exchange.id);
    }
  };
  const finish = async (index: number) => {
    const lane = lanes[index];
    if (lane === undefined) return;
    lanes[index] = undefined;
    ended.set(lane.recording.id, lane);
    unread.add(lane.recording.id);
    await lane.recording.end({ outcome: 'completed', endedAt: AT });
  };
  for (const one of steps) {
    switch (one.kind) {
      case 'request': {
        const lane = laneAt(one.lane);
        const chunk = Buffer.alloc(one.bytes, ++fill);
        if (lane.requestEnded) break;
        lane.request.push(chunk);
        lane.recording.requestChunk(chunk);
        break;
      }
      case 'requestEnd': {
        const lane = laneAt(one.lane);
        if (!lane.requestEnded) lane.recording.requestEnd();
        lane.requestEnded = true;
        break;
      }
      case 'response':
      case 'delta': {
        const lane = laneAt(one.lane);
        const chunk = Buffer.alloc(one.bytes, ++fill);
        if (chunk.length > 0) lane.response.push(chunk);
        lane.recording.responseChunk(chunk, AT + fill);
        break;
      }
      case 'end':
        await finish(one.lane);
        break;
      case 'turn':
        await new Promise((resolve) => setImmediate(resolve));
        break;
      case 'read':
        check(await readEverything(reader));
        break;
      case 'restartReader':
        reader.close();
        reader = openTestReader(spoolDir, { writer: test });
        break;
      case 'crashReader':
        crashed = true;
        loseProgress(spoolDir, () => reader.close());
        reader = openTestReader(spoolDir, { writer: test });
        break;
    }
  }
  for (let index = 0; index < 5; index++) await finish(index);
  check(await readEverything(reader));
  expect([...unread]).toEqual([]);
  expect(test.control.counter('quarantined')).toBe(0);
  await test.writer.close();
  check(await readEverything(reader));
  expect(test.writer.budget.usedBytes()).toBe(0);
  reader.close();
}

/** What a crash does: the progress not saved by itself before is gone. */
function loseProgress(spoolDir: string, close: () => void): void {
  const path = join(spoolDir, 'acknowledged.json');
  const saved = existsSync(path) ? readFileSync(path) : undefined;
  close();
  if (saved === undefined) rmSync(path, { force: true });
  else writeFileSync(path, saved);
}
