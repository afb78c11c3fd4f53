import type { Metrics } from '@claude-nexus/runtime';
import type { FastifyInstance } from 'fastify';

/** What the dashboard counts besides its process metrics. */
export interface DashboardMetrics {
  readonly loginFailed: () => void;
  readonly streamDropped: () => void;
  /** Sets where the number of open event streams is read. */
  watchStreams(count: () => number): void;
  /** Times every answer of the instance, but event streams, which stay open for hours. */
  observe(app: FastifyInstance): void;
}

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createDashboardMetrics(metrics: Metrics): DashboardMetrics {
  const failures = metrics.counter({ name: 'dashboard_login_failures_total', help: 'Wrong keys received.' });
  const dropped = metrics.counter({
    name: 'dashboard_event_streams_dropped_total',
    help: 'Event streams closed because the client did not keep up.',
  });
  let streams: (() => number) | undefined;
  metrics.gauge({
    name: 'dashboard_event_streams',
    help: 'Open event streams.',
    collect: (gauge) => gauge.set(streams?.() ?? 0),
  });
  const durations = metrics.histogram({
    name: 'dashboard_request_duration_seconds',
    help: 'Time to answer a request.',
    labels: ['route', 'status'],
    buckets: DURATION_BUCKETS,
  });
  return {
    loginFailed: () => failures.inc(),
    streamDropped: () => dropped.inc(),
    watchStreams: (count) => {
      streams = count;
    },
    observe: (app) => {
      app.addHook('onResponse', async (request, reply) => {
        const route = request.routeOptions.url ?? 'unknown';
        if (route.endsWith('/sse') && reply.statusCode === 200) return;
        durations.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
      });
    },
  };
}
