import type { RequestRow } from '@claude-nexus/database';
import type { FromWorker } from '../worker-messages.ts';

/** Counters fed with every committed batch; all with the prefix `claude_nexus_`. */
export const BATCH_METRICS = {
  exchanges_total: { help: 'Recorded exchanges', labels: ['kind', 'outcome'] },
  tokens_total: { help: 'Tokens by type as the upstream reported them', labels: ['model', 'type'] },
  cost_usd_total: { help: 'Cost of priced exchanges in US dollars', labels: ['model'] },
  recorder_batch_failures_total: {
    help: 'Batches the database did not take, by what was done',
    labels: ['kind'],
  },
} as const;

/** What a batch of closed exchanges adds to the counters, one message per counter and label set. */
export function batchMetrics(rows: readonly RequestRow[]): FromWorker[] {
  const sums = new Map<string, Extract<FromWorker, { type: 'count' }>>();
  const add = (name: keyof typeof BATCH_METRICS, labels: Record<string, string>, by: number): void => {
    if (by === 0) return;
    const key = [name, ...Object.values(labels)].join('\n');
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { type: 'count', name, labels, by });
    else sum.by += by;
  };
  for (const row of rows) {
    add('exchanges_total', { kind: row.kind, outcome: row.outcome }, 1);
    if (row.usage === undefined) continue;
    // A model name comes from the client: only priced ones become label values, or anybody could make series.
    const model = row.costUsd === undefined ? 'unpriced' : (row.model ?? 'unpriced');
    add('tokens_total', { model, type: 'input' }, row.usage.inputTokens);
    add('tokens_total', { model, type: 'output' }, row.usage.outputTokens);
    add('tokens_total', { model, type: 'cache_read' }, row.usage.cacheReadTokens);
    add('tokens_total', { model, type: 'cache_write_5m' }, row.usage.cacheWrite5mTokens);
    add('tokens_total', { model, type: 'cache_write_1h' }, row.usage.cacheWrite1hTokens);
    add('cost_usd_total', { model }, Number(row.costUsd ?? 0));
  }
  return [...sums.values()];
}
