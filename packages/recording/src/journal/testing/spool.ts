import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createIdFactory } from '@claude-nexus/domain';

import { storedHeaders } from '../../recorder-headers.ts';
import { pooledRandom } from '../../recorder-random.ts';
import { storedTarget } from '../../recorder-target.ts';
import type { BeginMeta, LostReason } from '../../types.ts';
import { JournalControl } from '../control.ts';
import { openJournalReader } from '../journal-reader.ts';
import { JournalWriter } from '../journal-writer.ts';
import type { JournalWriterOptions } from '../journal-writer.ts';
import type { JournalExchange, JournalReader, JournalReaderOptions, LostExchange } from '../types.ts';

/** What a writer told its surroundings. */
interface WriterLog {
  full: (LostReason | undefined)[];
  failing: (LostReason | undefined)[];
  lost: LostExchange[];
  syncFailures: number;
}

export interface TestWriter {
  writer: JournalWriter;
  control: JournalControl;
  log: WriterLog;
}

/** Memory instead of a disk, where there is such a folder: tests that rewrite a file a thousand times are slow elsewhere. */
const FAST_FOLDER = '/dev/shm';

/** A folder that exists during `use`. */
export async function withSpool(use: (spoolDir: string) => Promise<void>): Promise<void> {
  const base = existsSync(FAST_FOLDER) ? FAST_FOLDER : tmpdir();
  const spoolDir = mkdtempSync(join(base, 'claude-nexus-spool-'));
  try {
    await use(spoolDir);
  } finally {
    rmSync(spoolDir, { recursive: true, force: true });
  }
}

export function openTestWriter(spoolDir: string, options: Partial<JournalWriterOptions> = {}): TestWriter {
  const control = options.control ?? new JournalControl();
  const log: WriterLog = { full: [], failing: [], lost: [], syncFailures: 0 };
  const writer = new JournalWriter({
    spoolDir,
    maxBytes: 1024 * 1024 * 1024,
    newId: createIdFactory({ now: Date.now, random: pooledRandom() }),
    storedHeaders,
    storedTarget,
    storedMessage: (text) => text,
    events: {
      full: (reason) => log.full.push(reason),
      failing: (reason) => log.failing.push(reason),
      syncFailed: () => log.syncFailures++,
      lost: (exchange) => log.lost.push(exchange),
    },
    lateAfterMs: 10_000,
    probeIntervalMs: 5,
    ...options,
    control,
  });
  return { writer, control, log };
}

/** A reader of the same process as `writer`, or, without one, of a process that comes after. */
export function openTestReader(
  spoolDir: string,
  options: Partial<JournalReaderOptions> & { writer?: TestWriter } = {},
): JournalReader {
  const { writer, ...rest } = options;
  return openJournalReader({
    spoolDir,
    control: (writer?.control ?? new JournalControl()).memory,
    liveFrom: writer?.writer.firstSegment ?? Number.MAX_SAFE_INTEGER,
    quarantineMaxBytes: 64 * 1024 * 1024,
    suspects: [],
    lost: [],
    gatherMs: 0,
    ...rest,
  });
}

/** Reads until nothing more is there. */
export async function readEverything(reader: JournalReader): Promise<JournalExchange[]> {
  const ended: JournalExchange[] = [];
  for (;;) {
    const batch = await reader.next({ maxBytes: 256 * 1024, timeoutMs: 0 });
    ended.push(...batch.ended);
    if (batch.caughtUp) return ended;
  }
}

export function beginMeta(overrides: Partial<BeginMeta> = {}): BeginMeta {
  return {
    startedAt: 1_800_000_000_000,
    method: 'POST',
    path: '/v1/messages?beta=true',
    domain: 'claude.example.com',
    scope: 'domain:claude.example.com',
    headers: ['User-Agent', 'claude-cli/2.1.330', 'Authorization', 'Bearer sk-ant-canary-0000'],
    recordBody: true,
    ...overrides,
  };
}

/** One exchange with these chunks, ended; resolves when it is in the journal. */
export async function recordExchange(
  writer: JournalWriter,
  body: { request?: Buffer[]; response?: Buffer[]; begin?: Partial<BeginMeta> } = {},
): Promise<string> {
  const meta = beginMeta(body.begin);
  const recording = writer.begin(meta);
  for (const chunk of body.request ?? [Buffer.from('{"request":1}')]) recording.requestChunk(chunk);
  recording.requestEnd();
  recording.responseHead({
    status: 200,
    headers: ['request-id', 'req_1', 'set-cookie', 'secret'],
    at: meta.startedAt + 5,
  });
  let at = meta.startedAt + 10;
  for (const chunk of body.response ?? [Buffer.from('{"response":1}')]) recording.responseChunk(chunk, at++);
  await recording.end({ outcome: 'completed', endedAt: at, status: 200 });
  return recording.id;
}
