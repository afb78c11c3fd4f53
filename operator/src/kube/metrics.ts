import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; client-go's buckets for its work queues. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Every metric of the runtime. Names are those of controller-runtime and client-go where they have one. */
export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>;

/** @param options.processMetrics false leaves out Node's own series */
export function createOperatorMetrics(options: { readonly processMetrics?: boolean } = {}) {
  const registry = new Registry();
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const make = factory(registry);
  return {
    registry,
    controller: controllerMetrics(make),
    queue: queueMetrics(make),
    client: {
      requests: make.counter('rest_client_requests_total', 'Requests to the API server.', [
        'code',
        'method',
        'host',
      ]),
      seconds: make.histogram(
        'rest_client_request_duration_seconds',
        'Time to the whole answer; for a watch to its beginning.',
        { labels: ['verb', 'host'], buckets: REQUEST_BUCKETS },
      ),
    },
    reflector: reflectorMetrics(make),
    leader: make.gauge('leader_election_master_status', '1 while this process leads.', ['name']),
    events: make.counter('claudenexus_operator_events_total', 'Events, by what became of them.', ['outcome']),
  };
}

function controllerMetrics(make: ReturnType<typeof factory>) {
  return {
    reconciles: make.counter('controller_runtime_reconcile_total', 'Reconciles, by result.', [
      'controller',
      'result',
    ]),
    errors: make.counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed.', [
      'controller',
    ]),
    seconds: make.histogram('controller_runtime_reconcile_time_seconds', 'How long a reconcile took.', {
      labels: ['controller'],
      buckets: RECONCILE_BUCKETS,
    }),
    maxConcurrent: make.gauge(
      'controller_runtime_max_concurrent_reconciles',
      'Reconciles that may run at once.',
      ['controller'],
    ),
    activeWorkers: make.gauge('controller_runtime_active_workers', 'Reconciles that run now.', [
      'controller',
    ]),
  };
}

function queueMetrics(make: ReturnType<typeof factory>) {
  const labels = ['name', 'controller'] as const;
  return {
    depth: make.gauge('workqueue_depth', 'Keys that wait.', labels),
    adds: make.counter('workqueue_adds_total', 'Keys added.', labels),
    retries: make.counter('workqueue_retries_total', 'Keys added again with a delay.', labels),
    queueSeconds: make.histogram('workqueue_queue_duration_seconds', 'How long a key waited.', {
      labels,
      buckets: QUEUE_BUCKETS,
    }),
    workSeconds: make.histogram('workqueue_work_duration_seconds', 'How long the work on a key took.', {
      labels,
      buckets: QUEUE_BUCKETS,
    }),
    unfinishedSeconds: make.readGauge(
      'workqueue_unfinished_work_seconds',
      'Seconds of work in progress, all workers together.',
      labels,
    ),
    longestSeconds: make.readGauge(
      'workqueue_longest_running_processor_seconds',
      'Seconds the longest running worker has been at its key.',
      labels,
    ),
  };
}

function reflectorMetrics(make: ReturnType<typeof factory>) {
  return {
    lists: make.counter('reflector_lists_total', 'Complete lists.', ['kind']),
    watches: make.counter('reflector_watches_total', 'Watches begun.', ['kind']),
    failures: make.counter(
      'claudenexus_operator_reflector_failures_total',
      'Lists and watches that failed, an expired resource version apart.',
      ['kind'],
    ),
    missed: make.counter(
      'claudenexus_operator_reflector_missed_events_total',
      'Changes that no event told of and that a periodic list found.',
      ['kind'],
    ),
    listenerErrors: make.counter(
      'claudenexus_operator_listener_errors_total',
      'Changes whose listener threw.',
      ['kind'],
    ),
    contactAge: make.readGauge(
      'claudenexus_operator_reflector_contact_age_seconds',
      'Seconds since the API server was last heard from.',
      ['kind', 'namespace'],
    ),
  };
}

/** A gauge whose values are read at every scrape from whoever registered. */
interface ReadGauge<L extends string> {
  /** @returns what ends it */
  register(labels: Record<L, string>, read: () => number): () => void;
}

function factory(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter<L>({ name, help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Gauge<L>({ name, help, labelNames, registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      options: { readonly labels: readonly L[]; readonly buckets: readonly number[] },
    ) =>
      new Histogram<L>({ name, help, labelNames: options.labels, buckets: [...options.buckets], registers }),
    readGauge: <L extends string>(name: string, help: string, labelNames: readonly L[]): ReadGauge<L> => {
      const readers = new Set<{ labels: Record<L, string>; read: () => number }>();
      const gauge: Gauge<L> = new Gauge<L>({
        name,
        help,
        labelNames,
        registers,
        collect: () => {
          gauge.reset();
          for (const { labels, read } of readers) gauge.set(labels, read());
        },
      });
      return {
        register: (labels, read) => {
          const reader = { labels, read };
          readers.add(reader);
          return () => void readers.delete(reader);
        },
      };
    },
  };
}
