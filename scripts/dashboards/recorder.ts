import { CHOSEN, gained, rate } from './grafana.ts';
import type { Dashboard } from './grafana.ts';

const metric = (name: string): string => `claude_nexus_${name}{${CHOSEN}}`;
const DURATION = 'claude_nexus_dashboard_request_duration_seconds';

/** What becomes of the recordings, and how the database answers. */
export const RECORDER: Dashboard = {
  name: 'recorder',
  title: 'Recorder and database',
  anchors: ['claude_nexus_spool_bytes', 'claude_nexus_dashboard_event_streams'],
  rows: [
    [
      {
        title: 'Lag',
        description: 'Age of the oldest exchange that is not in the database.',
        unit: 's',
        single: true,
        queries: [{ expr: `max(${metric('recorder_lag_seconds')})`, legend: '' }],
      },
      {
        title: 'Fullest spool',
        unit: 'percentunit',
        single: true,
        queries: [{ expr: `max(${metric('spool_bytes')} / ${metric('spool_max_bytes')})`, legend: '' }],
      },
      {
        title: 'Lost exchanges',
        description: 'In the time shown.',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(${gained('claude_nexus_recorder_lost_exchanges_total')})`, legend: '' }],
      },
      {
        title: 'Records in quarantine',
        description: 'In the time shown.',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(${gained('claude_nexus_recorder_quarantined_records_total')})`, legend: '' }],
      },
    ],
    [
      {
        title: 'Lag by proxy',
        unit: 's',
        queries: [{ expr: metric('recorder_lag_seconds'), legend: '{{pod}}' }],
      },
      {
        title: 'Exchanges that wait for the database',
        unit: 'short',
        queries: [
          { expr: metric('recorder_unshipped_exchanges'), legend: '{{pod}} ended' },
          { expr: metric('recorder_open_exchanges'), legend: '{{pod}} in progress' },
        ],
      },
      {
        title: 'Spool',
        unit: 'bytes',
        queries: [
          { expr: metric('spool_bytes'), legend: '{{pod}}' },
          { expr: `max(${metric('spool_max_bytes')})`, legend: 'maximum' },
        ],
      },
    ],
    [
      {
        title: 'Batches the database did not take',
        description:
          'outage: it cannot be written to; retry: it passes later; bad-record: one exchange is refused.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (kind) (${rate('claude_nexus_recorder_batch_failures_total')})`,
            legend: '{{kind}}',
          },
        ],
      },
      {
        title: 'Lost exchanges by reason',
        unit: 'short',
        queries: [
          {
            expr: `sum by (reason) (${rate('claude_nexus_recorder_lost_exchanges_total')})`,
            legend: '{{reason}}',
          },
        ],
      },
      {
        title: 'State of the spool',
        description: '1: nothing is recorded.',
        unit: 'none',
        queries: [
          { expr: `max(${metric('spool_full')})`, legend: 'full' },
          { expr: `max(${metric('spool_failing')})`, legend: 'cannot be written' },
        ],
      },
    ],
    [
      {
        title: 'Recordings',
        unit: 'reqps',
        queries: [
          { expr: `sum(${rate('claude_nexus_recorder_begun_exchanges_total')})`, legend: 'begun' },
          { expr: `sum(${rate('claude_nexus_exchanges_total')})`, legend: 'in the database' },
        ],
      },
      {
        title: 'Memory of the recorder',
        unit: 'bytes',
        queries: [
          { expr: metric('recorder_queued_bytes'), legend: '{{pod}} not written yet' },
          { expr: metric('recorder_remembered_bytes'), legend: '{{pod}} earlier exchanges' },
        ],
      },
      {
        title: 'Trouble',
        unit: 'short',
        queries: [
          { expr: `sum(${rate('claude_nexus_recorder_worker_restarts_total')})`, legend: 'worker restarts' },
          {
            expr: `sum(${rate('claude_nexus_recorder_interrupted_exchanges_total')})`,
            legend: 'interrupted',
          },
          { expr: `sum(${rate('claude_nexus_recorder_late_exchanges_total')})`, legend: 'written late' },
        ],
      },
    ],
    [
      {
        title: 'Dashboard: answers within, p95',
        description: 'Most of it is the database.',
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.95, sum by (le, route) (${rate(`${DURATION}_bucket`)}))`,
            legend: '{{route}}',
          },
        ],
      },
      {
        title: 'Dashboard: answers by status',
        unit: 'reqps',
        queries: [{ expr: `sum by (status) (${rate(`${DURATION}_count`)})`, legend: '{{status}}' }],
      },
      {
        title: 'Dashboard: people',
        unit: 'short',
        queries: [
          { expr: `sum(${metric('dashboard_event_streams')})`, legend: 'live views' },
          {
            expr: `sum(${rate('claude_nexus_dashboard_event_streams_dropped_total')})`,
            legend: 'live views dropped per second',
          },
          {
            expr: `sum(${rate('claude_nexus_dashboard_login_failures_total')})`,
            legend: 'wrong keys per second',
          },
        ],
      },
    ],
  ],
};
