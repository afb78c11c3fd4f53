import type { Dashboard } from './grafana.ts';
import { OPERATOR } from './operator.ts';
import { RECORDER } from './recorder.ts';
import { TRAFFIC } from './traffic.ts';
import { USAGE } from './usage.ts';

/** Every Grafana dashboard of the chart. */
export const DASHBOARDS: readonly Dashboard[] = [TRAFFIC, USAGE, RECORDER, OPERATOR];
