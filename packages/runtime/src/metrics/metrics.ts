import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { MetricNameError } from '../errors.ts';

const PREFIX = 'claude_nexus_';

/** Seconds; from a local answer to a stream of an hour. */
const DEFAULT_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200, 3600];

export interface MetricOptions<L extends string> {
  /** Without the common prefix: `<noun>_<unit>_total` for a counter, `<noun>_seconds|bytes` for a histogram. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Called at every scrape, for values that are read rather than counted. */
  readonly collect?: (gauge: Gauge<L>) => void;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  readonly buckets?: readonly number[];
}

/** The metrics of one program: a registry of its own and helpers that keep to the naming rule. */
export interface Metrics {
  readonly registry: Registry;
  /** @throws {MetricNameError} when the name does not end in `_total` */
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>;
  /** @throws {MetricNameError} when the name ends in `_total` */
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>;
  /** @throws {MetricNameError} when the name ends in neither `_seconds` nor `_bytes` */
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>;
}

/**
 * @param options.component label on every series: `proxy`, `dashboard`, `operator`
 * @param options.processMetrics false leaves out Node's own series (event loop, heap, garbage collection)
 */
export function createMetrics(options: { component: string; processMetrics?: boolean }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ component: options.component });
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const common = <L extends string>(metric: MetricOptions<L>, rule: RegExp) => ({
    name: checkedName(metric.name, rule),
    help: metric.help,
    labelNames: metric.labels ?? [],
    registers: [registry],
  });
  return {
    registry,
    counter: (metric) => new Counter(common(metric, /_total$/)),
    gauge: (metric) => {
      const { collect } = metric;
      const base = common(metric, /(?<!_total)$/);
      const gauge: Gauge<(typeof base.labelNames)[number]> = new Gauge({
        ...base,
        ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
      });
      return gauge;
    },
    histogram: (metric) =>
      new Histogram({
        ...common(metric, /_(seconds|bytes)$/),
        buckets: [...(metric.buckets ?? DEFAULT_BUCKETS)],
      }),
  };
}

function checkedName(name: string, rule: RegExp): string {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(name) || name.startsWith(PREFIX) || !rule.test(name)) {
    throw new MetricNameError(
      `metric name ${name} must be <noun>_<unit>_total, _seconds or _bytes, without ${PREFIX}`,
    );
  }
  return PREFIX + name;
}
