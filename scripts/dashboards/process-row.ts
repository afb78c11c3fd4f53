import { CHOSEN, rate } from './grafana.ts';
import type { Panel } from './grafana.ts';

/** What each process uses. */
export const PROCESS_ROW: readonly Panel[] = [
  {
    title: 'CPU',
    description: 'Cores in use.',
    unit: 'short',
    queries: [{ expr: rate('process_cpu_seconds_total'), legend: '{{pod}}' }],
  },
  {
    title: 'Memory',
    unit: 'bytes',
    queries: [{ expr: `process_resident_memory_bytes{${CHOSEN}}`, legend: '{{pod}}' }],
  },
  {
    title: 'Event loop delay, p99',
    description: 'How long a process was too busy to answer anybody.',
    unit: 's',
    queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${CHOSEN}}`, legend: '{{pod}}' }],
  },
];
