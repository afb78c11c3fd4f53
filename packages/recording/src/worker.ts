import { canonicalDigests, chain } from '@claude-nexus/domain';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { JournalControl } from './journal/control.ts';
import { openJournalReader } from './journal/journal-reader.ts';
import { openIngest } from './pipeline/ingest.ts';
import { batchMetrics } from './pipeline/batch-metrics.ts';
import { FrameBases } from './pipeline/frame-bases.ts';
import { Shipper } from './pipeline/shipper.ts';
import type { ShipperReport } from './pipeline/shipper.ts';
import { BodyCutter } from './store/index.ts';
import { yieldToRequests } from './thread-priority.ts';
import type { FromWorker, RecorderWorkerData, ToWorker } from './worker-messages.ts';

/**
 * The recorder's worker thread: follows the journal, decodes what it finds and ships it to PostgreSQL.
 * It can die at any moment: the main thread starts it again, and the journal says where it was.
 */
yieldToRequests();
const { journal, recorderId, databaseUrl, maxRememberedBytes } = workerData as RecorderWorkerData;
const SIGN_OF_LIFE_MS = 1000;
const stop = new AbortController();
const reader = openJournalReader(journal);
let shipped = 0;
let failing = false;

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') stop.abort();
  else reader.markLost(message.id, message.reason);
});

if (databaseUrl === undefined) {
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
} else {
  const ingest = openIngest({ databaseUrl, recorderId, now: Date.now, stats });
  const shipper = new Shipper({
    reader,
    ingest,
    cutter: new BodyCutter({
      digests: { canonicalDigests, chain },
      memoryBytes: maxRememberedBytes.sessions,
    }),
    bases: new FrameBases(maxRememberedBytes.frames),
    recorderId,
    suspects: new Set(journal.suspects.map(({ id }) => id)),
    report: report(),
    wait,
  });
  send({ type: 'ready' });
  const control = new JournalControl(journal.control);
  const life = setInterval(() => {
    control.setCounter('rememberedBytes', shipper.rememberedBytes);
    reader.showLife();
  }, SIGN_OF_LIFE_MS);
  await shipper.run(stop.signal);
  clearInterval(life);
  await ingest.close();
}
reader.close();
parentPort?.close();

/** The row is written before the batch is acknowledged, but read after it. */
function stats(closing: number): Record<string, unknown> {
  const journalled = reader.stats();
  return {
    ...journalled,
    shipped: shipped + closing,
    unshippedExchanges: Math.max(0, journalled.unshippedExchanges - closing),
  };
}

function report(): ShipperReport {
  return {
    committed(rows) {
      const closed = rows.filter((row) => row.outcome !== 'pending');
      shipped += closed.length;
      for (const message of batchMetrics(closed)) send(message);
      if (failing) log('info', {}, 'the database takes exchanges again');
      failing = false;
    },
    failed({ kind, error, batch }) {
      count('recorder_batch_failures_total', { kind });
      // One line when an outage begins, not one per attempt.
      if (!failing || kind !== 'outage')
        log('warn', { kind, batch, err: describe(error) }, 'a batch was not committed');
      failing = true;
    },
    quarantined(exchangeId, error) {
      log('error', { exchangeId, err: describe(error) }, 'an exchange went to quarantine');
    },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

function count(name: string, labels: Record<string, string>): void {
  send({ type: 'count', name, labels, by: 1 });
}

function log(level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string): void {
  send({ type: 'log', level, fields, message });
}

/** Class and code only where the text may quote a value: PostgreSQL's `detail` is left out for that reason. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return { name: error.name, code: (error as { code?: unknown }).code, message: error.message.slice(0, 500) };
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}
