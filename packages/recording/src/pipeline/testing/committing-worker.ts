import { canonicalDigests, chain } from '@claude-nexus/domain';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { openJournalReader } from '../../journal/journal-reader.ts';
import { BodyCutter } from '../../store/index.ts';
import type { FromWorker, RecorderWorkerData, ToWorker } from '../../worker-messages.ts';
import { FrameBases } from '../frame-bases.ts';
import { Shipper } from '../shipper.ts';
import { MemoryIngest } from './fakes.ts';

/**
 * Stands for the recorder's worker in tests: ships into memory and reports each commit as a log line. Ends (`crashOn`)
 * or stalls (`hangOn`) while it commits a batch with an exchange of that domain. settings `batch`: ships nothing before
 * so many exchanges have come.
 */
const { journal, recorderId, settings } = workerData as RecorderWorkerData;
const reader = openJournalReader(journal);
const stop = new AbortController();
const ingest = new MemoryIngest();

ingest.beforeCommit = ({ requests }) => {
  const has = (domain: unknown): boolean => requests.some((row) => row.domain === domain);
  while (has(settings['hangOn']));
  // Nothing above may catch it: not an error of the batch, but the end of the thread.
  if (has(settings['crashOn'])) process.exit(1);
};

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') stop.abort();
  else reader.markLost(message.id, message.reason);
});

const next = reader.next.bind(reader);
reader.next = async (options) => {
  const batch = await next(options);
  while (batch.ended.length < Number(settings['batch'] ?? 0) && journal.suspects.length === 0) {
    const more = await next(options);
    batch.ended.push(...more.ended);
  }
  return { ...batch, open: [] };
};

const shipper = new Shipper({
  reader,
  ingest,
  cutter: new BodyCutter({ digests: { canonicalDigests, chain } }),
  bases: new FrameBases(),
  recorderId,
  suspects: new Set(journal.suspects.map(({ id }) => id)),
  report: {
    committed: (rows) => {
      const ids = rows.map(({ id }) => id);
      send({ type: 'log', level: 'info', fields: { ids }, message: 'committed' });
    },
    failed: () => undefined,
    quarantined: () => undefined,
  },
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
});
send({ type: 'ready' });
const life = setInterval(() => reader.showLife(), 10);
await shipper.run(stop.signal);
clearInterval(life);
reader.close();
parentPort?.close();
