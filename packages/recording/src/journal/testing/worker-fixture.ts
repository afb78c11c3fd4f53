import { parentPort, workerData } from 'node:worker_threads';

import type { FromWorker, RecorderWorkerData, ToWorker } from '../../worker-messages.ts';
import { openJournalReader } from '../journal-reader.ts';

/**
 * Stands for the recorder's worker in tests: acknowledges what it reads and reports each exchange as a log line.
 * settings: `hold` (acknowledge nothing), `crashOn` and `hangOn` (domains whose exchanges end or
 * stall the thread).
 */
const { journal, settings } = workerData as RecorderWorkerData;
const reader = openJournalReader(journal);
const stop = new AbortController();

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function hang(id: string): never {
  send({ type: 'log', level: 'info', fields: { id }, message: 'hangs' });
  for (;;);
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') stop.abort();
  else reader.markLost(message.id, message.reason);
});
send({ type: 'ready' });
while (!stop.signal.aborted) {
  const { ended } = await reader.next({ maxBytes: 65_536, timeoutMs: 100, signal: stop.signal });
  for (const exchange of ended) {
    reader.processing([exchange.id]);
    if (exchange.begin.domain === settings['crashOn']) throw new Error('a poisonous exchange');
    if (exchange.begin.domain === settings['hangOn']) hang(exchange.id);
    reader.processing([]);
    const { id, closing, lost, recovered } = exchange;
    send({ type: 'log', level: 'info', fields: { id, closing, lost, recovered }, message: 'read' });
    send({ type: 'count', name: 'exchanges_total', labels: { kind: 'main', outcome: 'completed' }, by: 1 });
    if (settings['hold'] !== true) reader.ack(id);
  }
}
reader.close();
parentPort?.close();
