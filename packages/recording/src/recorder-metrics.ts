import type { Metrics } from '@claude-nexus/runtime';

import { BATCH_METRICS } from './pipeline/batch-metrics.ts';
import { FAILURES } from './pipeline/failure.ts';
import { LOST_REASONS } from './types.ts';
import type { RecorderStats } from './types.ts';
import type { FromWorker } from './worker-messages.ts';

type CountMessage = Extract<FromWorker, { type: 'count' }>;

/** Registers the recorder's metrics, read from its figures at every scrape; returns the sink for the worker's counts. */
export function registerRecorderMetrics(
  metrics: Metrics,
  stats: () => RecorderStats,
): (message: CountMessage) => void {
  const counters = new Counters(metrics);
  // Registered first, so that the counters are up to date when their turn comes.
  metrics.gauge({
    name: 'spool_bytes',
    help: 'Bytes in the spool, quarantine included',
    collect: (gauge) => {
      const current = stats();
      counters.follow(current);
      gauge.set(current.spoolBytes);
    },
  });
  const gauge = (name: string, help: string, read: (current: RecorderStats) => number) => {
    metrics.gauge({ name, help, collect: (target) => target.set(read(stats())) });
  };
  gauge('spool_max_bytes', 'Bytes the spool may take before exchanges are dropped', (s) => s.spoolMaxBytes);
  gauge('spool_full', '1 while the spool takes no new exchange for want of room', (s) => Number(s.spoolFull));
  gauge('spool_failing', '1 while writing to the spool fails', (s) => Number(s.spoolFailing));
  gauge('recorder_queued_bytes', 'Bytes accepted but not written to the spool', (s) => s.queuedBytes);
  gauge(
    'recorder_remembered_bytes',
    'Bytes kept of earlier exchanges, to store of the next ones only what is new',
    (s) => s.rememberedBytes,
  );
  gauge('recorder_open_exchanges', 'Exchanges in flight', (s) => s.openExchanges);
  gauge(
    'recorder_unshipped_exchanges',
    'Ended exchanges not yet in the database',
    (s) => s.unshippedExchanges,
  );
  gauge('recorder_lag_seconds', 'Age of the oldest exchange not yet in the database', (s) => s.lagSeconds);
  counters.register();
  return batchCounters(metrics);
}

/** Brings counters up to totals that are kept elsewhere. */
class Counters {
  readonly #metrics: Metrics;
  #update: (current: RecorderStats) => void = () => undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  register(): void {
    const follow = (name: string, help: string) => {
      const counter = this.#metrics.counter({ name, help });
      let known = 0;
      return (total: number) => {
        counter.inc(Math.max(0, total - known));
        known = Math.max(known, total);
      };
    };
    const begun = follow('recorder_begun_exchanges_total', 'Exchanges the journal began to record');
    const late = follow(
      'recorder_late_exchanges_total',
      'Exchanges released before their end record was written',
    );
    const quarantined = follow('recorder_quarantined_records_total', 'Records that went to quarantine');
    const interrupted = follow('recorder_interrupted_exchanges_total', 'Exchanges whose process died');
    const restarts = follow('recorder_worker_restarts_total', 'Restarts of the recorder worker');
    const lost = this.#metrics.counter({
      name: 'recorder_lost_exchanges_total',
      help: 'Exchanges not or not fully recorded',
      labels: ['reason'],
    });
    const lostKnown = new Map<string, number>();
    for (const reason of LOST_REASONS) lost.inc({ reason }, 0);
    this.#update = (current) => {
      begun(current.begunExchanges);
      late(current.lateExchanges);
      quarantined(current.quarantinedRecords);
      interrupted(current.interruptedExchanges);
      restarts(current.workerRestarts);
      for (const reason of LOST_REASONS) {
        lost.inc({ reason }, current.lostExchanges[reason] - (lostKnown.get(reason) ?? 0));
        lostKnown.set(reason, current.lostExchanges[reason]);
      }
    };
  }

  follow(current: RecorderStats): void {
    this.#update(current);
  }
}

function batchCounters(metrics: Metrics): (message: CountMessage) => void {
  const counters = new Map(
    Object.entries(BATCH_METRICS).map(([name, { help, labels }]) => [
      name,
      metrics.counter<string>({ name, help, labels }),
    ]),
  );
  // From nothing to one is no increase: an alert would miss the first.
  for (const kind of FAILURES) counters.get('recorder_batch_failures_total')?.inc({ kind }, 0);
  return ({ name, labels, by }) => counters.get(name)?.inc(labels ?? {}, by);
}
