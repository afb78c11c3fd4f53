import { expect } from 'vitest';

import { eventually } from '../eventually.ts';
import { readMetrics } from '../metrics.ts';
import { GATEWAY } from '../site.ts';
import type { ClusterSite } from '../site.ts';

const STREAMS = 100;

/** Nothing disturbs: clients, database, dashboard and metrics agree. */
export async function traffic(site: ClusterSite): Promise<void> {
  await site.disturb('traffic', () => site.load.moreStreams(STREAMS));

  await site.dashboard(async (dashboard) => {
    const known = site.load.answers.length;
    const { totals } = await eventually('every answer in the totals', async () => {
      const stats = await dashboard.storageStats();
      return stats.totals.requests >= known ? stats : undefined;
    });
    expect(totals.outputTokens).toBeGreaterThan(known);
    const [row] = await dashboard.allRows(`&outcome=completed&domain=${GATEWAY}-proxy.${site.namespace}.svc`);
    const { bytes } = await dashboard.body(row?.id ?? '', 'request-body');
    expect(JSON.parse(bytes.toString())).toMatchObject({ model: 'claude-sonnet-4-5' });
  });

  const known = site.load.answers.length;
  const metrics = await readMetrics(site, 'proxy');
  expect(
    metrics.sum('relayed_exchanges_total', { outcome: 'completed', status: '200' }),
  ).toBeGreaterThanOrEqual(known);
  expect(metrics.sum('recorder_lost_exchanges_total')).toBe(0);
  expect(metrics.sum('recorder_quarantined_records_total')).toBe(0);
  expect(
    (await readMetrics(site, 'dashboard')).sum('dashboard_request_duration_seconds_count'),
  ).toBeGreaterThan(0);
}
