import { StorageStats, StorageStatsQuery } from '@claude-nexus/api-contract';
import { sendCached } from '../http/send-cached.ts';
import { parseWindow } from '../requests/times.ts';
import type { StatsWindow } from '../store.ts';
import type { App, RouteContext } from './context.ts';
import { json, responses } from './responses.ts';

const DEFAULT_WINDOW_MS = 24 * 3_600_000;

const schema = {
  summary: 'Totals, stored bytes, partitions and recorders',
  tags: ['statistics'],
  querystring: StorageStatsQuery,
  response: responses(
    { 200: json('the statistics', StorageStats) },
    { 400: 'a parameter is refused', 503: 'the database does not answer' },
  ),
};

/** `/api/storage-stats`. */
export function storageStatsRoutes(app: App, { store, cache, now }: RouteContext): void {
  app.get('/storage-stats', { schema }, async (request, reply) => {
    const window = toWindow(request.query, now());
    return sendCached(request, reply, await cache.get(request.url, () => store.storageStats(window)));
  });
}

function toWindow(query: StorageStatsQuery, now: number): StatsWindow {
  const { from, to } = parseWindow(query);
  const end = to ?? Math.max(now, from ?? now);
  return { from: from ?? end - DEFAULT_WINDOW_MS, to: end, domain: query.domain };
}
