import { describe, expect, it } from 'vitest';

import { ListenError, MetricNameError } from '../errors.ts';
import { createMetrics } from './metrics.ts';
import { serveMetrics } from './serve-metrics.ts';

describe('createMetrics', () => {
  it('prefixes names and labels every series with the component', async () => {
    const metrics = createMetrics({ component: 'proxy', processMetrics: false });
    metrics
      .counter({ name: 'requests_total', help: 'Requests.', labels: ['outcome'] })
      .inc({ outcome: 'completed' });
    metrics.gauge({ name: 'spool_bytes', help: 'Spool.', collect: (gauge) => gauge.set(7) });
    metrics.histogram({ name: 'request_duration_seconds', help: 'Duration.', buckets: [1] }).observe(0.5);
    const text = await metrics.registry.metrics();
    expect(text).toContain('claude_nexus_requests_total{outcome="completed",component="proxy"} 1');
    expect(text).toContain('claude_nexus_spool_bytes{component="proxy"} 7');
    expect(text).toContain('claude_nexus_request_duration_seconds_bucket{le="1",component="proxy"} 1');
    expect(text).not.toContain('process_cpu');
  });

  it('has the process metrics of Node unless told otherwise', async () => {
    const text = await createMetrics({ component: 'proxy' }).registry.metrics();
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it.each([
    ['a counter without _total', () => metrics().counter({ name: 'requests', help: 'h' })],
    ['a counter in another case', () => metrics().counter({ name: 'Requests_total', help: 'h' })],
    ['a gauge with _total', () => metrics().gauge({ name: 'requests_total', help: 'h' })],
    ['a histogram without a unit', () => metrics().histogram({ name: 'request_duration', help: 'h' })],
    [
      'a name that repeats the prefix',
      () => metrics().counter({ name: 'claude_nexus_requests_total', help: 'h' }),
    ],
  ])('refuses %s', (_, declare) => {
    expect(declare).toThrow(MetricNameError);
  });
});

function metrics(): ReturnType<typeof createMetrics> {
  return createMetrics({ component: 'test', processMetrics: false });
}

describe('serveMetrics', () => {
  it('serves GET /metrics and nothing else on a free port', async () => {
    const own = metrics();
    own.counter({ name: 'requests_total', help: 'Requests.' }).inc();
    const server = await serveMetrics({ registry: own.registry, host: '127.0.0.1', port: 0 });
    const base = `http://127.0.0.1:${server.port}`;
    const scraped = await fetch(`${base}/metrics?x=1`);
    expect(scraped.status).toBe(200);
    expect(scraped.headers.get('content-type')).toContain('text/plain');
    expect(await scraped.text()).toContain('claude_nexus_requests_total');
    expect((await fetch(`${base}/`)).status).toBe(404);
    expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(405);
    await server.close();
    await expect(fetch(`${base}/metrics`)).rejects.toThrow('fetch failed');
  });

  it('answers 500 without detail when a metric cannot be read', async () => {
    const own = metrics();
    own.gauge({
      name: 'broken_bytes',
      help: 'Broken.',
      collect: () => {
        throw new TypeError('internal detail');
      },
    });
    const server = await serveMetrics({ registry: own.registry, host: '127.0.0.1', port: 0 });
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([500, 'a metric could not be read\n']);
    await server.close();
  });

  it('says in one line when the port is taken', async () => {
    const first = await serveMetrics({ registry: metrics().registry, host: '127.0.0.1', port: 0 });
    const second = serveMetrics({ registry: metrics().registry, host: '127.0.0.1', port: first.port });
    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toThrow(
      `cannot listen on 127.0.0.1:${first.port}: the port is in use by another program; set METRICS_PORT`,
    );
    await first.close();
  });
});
