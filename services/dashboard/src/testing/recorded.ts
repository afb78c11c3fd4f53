import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecorder } from '@claude-nexus/recording';
import type { BeginMeta, EndMeta, Recorder } from '@claude-nexus/recording';
import { createLogger, createMetrics } from '@claude-nexus/runtime';

/** One exchange as the proxy would record it. */
interface RecordedExchange {
  readonly request: Buffer | string;
  /** Chunks of the answer. */
  readonly response?: readonly (Buffer | string)[];
  readonly begin?: Partial<BeginMeta>;
  readonly responseHeaders?: readonly string[];
  readonly status?: number;
  readonly end?: Partial<EndMeta>;
}

/** A recorder with a spool of its own, for tests against a real database. */
export interface TestRecorder {
  /** Records one exchange to its end; answers its id. The rows follow a moment later. */
  record(exchange: RecordedExchange): Promise<string>;
  /** Ships everything, then ends. */
  close(): Promise<void>;
}

/** Opens one that ships to this database. */
export async function openTestRecorder(writerUrl: string): Promise<TestRecorder> {
  const spoolDir = mkdtempSync(join(tmpdir(), 'nexus-spool-'));
  const recorder = await openRecorder({
    spoolDir,
    spoolMaxBytes: 512 * 1024 * 1024,
    databaseUrl: writerUrl,
    recorderId: 'test-recorder',
    logger: createLogger({ name: 'recorder', level: 'silent' }),
    metrics: createMetrics({ component: 'proxy', processMetrics: false }),
  });
  return {
    record: (exchange) => record(recorder, exchange),
    close: async () => {
      await recorder.close({ deadlineMs: 10_000, ship: true });
      rmSync(spoolDir, { recursive: true });
    },
  };
}

async function record(recorder: Recorder, exchange: RecordedExchange): Promise<string> {
  const startedAt = Date.now();
  const recording = recorder.begin({
    startedAt,
    method: 'POST',
    path: '/v1/messages?beta=true',
    domain: 'a.example',
    scope: 'domain:a.example',
    headers: ['Content-Type', 'application/json', 'Authorization', 'Bearer secret'],
    recordBody: true,
    ...exchange.begin,
  });
  recording.requestChunk(Buffer.from(exchange.request));
  recording.requestEnd();
  if (exchange.response !== undefined) {
    const headers = exchange.responseHeaders ?? ['content-type', 'application/json', 'set-cookie', 'secret'];
    recording.responseHead({ status: exchange.status ?? 200, headers, at: startedAt + 5 });
    for (const [n, chunk] of exchange.response.entries()) {
      recording.responseChunk(Buffer.from(chunk), startedAt + 10 * (n + 1));
    }
  }
  const status = exchange.response === undefined ? {} : { status: exchange.status ?? 200 };
  await recording.end({ outcome: 'completed', endedAt: startedAt + 100, ...status, ...exchange.end });
  return recording.id;
}
