import { createMetrics } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { createProxyMetrics, createRelayMetrics } from './metrics.ts';
import type { ProxyMetrics } from './metrics.ts';
import type { ExchangeSummary, RelayMetrics } from './relay/ports.ts';

const ended: ExchangeSummary = {
  outcome: 'completed',
  status: 200,
  errorType: undefined,
  domain: 'managed.example.com',
  startedAt: 1000,
  headAt: 1200,
  endedAt: 5000,
  requestBytes: 70,
  responseBytes: 300,
};

type Own = ProxyMetrics & { readonly relay: RelayMetrics };

async function textAfter(use: (metrics: Own) => void): Promise<string> {
  const metrics = createMetrics({ component: 'proxy', processMetrics: false });
  const relay = createRelayMetrics(metrics, (domain) => domain === 'managed.example.com');
  use({ ...createProxyMetrics(metrics), relay });
  return metrics.registry.metrics();
}

describe('metrics of the proxy', () => {
  it.each<[string, (metrics: Own) => void, string]>([
    [
      'local answers',
      (metrics) => metrics.answered({ route: '/health', status: 200 }),
      'local_answers_total{route="/health",status="200",component="proxy"} 1',
    ],
    [
      'bad credential files',
      (metrics) => metrics.credentialReloadFailed(),
      'credential_reload_failures_total{component="proxy"} 1',
    ],
    [
      'domains by state',
      (metrics) => metrics.watchCredentials(() => ({ current: 2, stale: 1, unusable: 0 })),
      'credential_domains{state="stale",component="proxy"} 1',
    ],
    [
      'exchanges in progress',
      (metrics) => metrics.watchInflight(() => 7),
      'relay_inflight_exchanges{component="proxy"} 7',
    ],
    [
      'refused requests',
      (metrics) => metrics.relay.refused({ status: 401, errorType: 'authentication_error' }),
      'relay_refusals_total{status="401",error_type="authentication_error",component="proxy"} 1',
    ],
    [
      'exchanges of a managed domain under its name',
      (metrics) => metrics.relay.exchangeEnded(ended),
      'relayed_exchanges_total{domain="managed.example.com",outcome="completed",status="200",component="proxy"} 1',
    ],
    [
      'exchanges of all other domains together',
      (metrics) => {
        metrics.relay.exchangeEnded({
          ...ended,
          domain: 'a.example.com',
          status: undefined,
          outcome: 'aborted',
        });
        metrics.relay.exchangeEnded({
          ...ended,
          domain: 'b.example.com',
          status: undefined,
          outcome: 'aborted',
        });
      },
      'relayed_exchanges_total{domain="other",outcome="aborted",status="none",component="proxy"} 2',
    ],
    [
      'bytes',
      (metrics) => metrics.relay.exchangeEnded(ended),
      'relayed_bytes_total{direction="response",component="proxy"} 300',
    ],
    [
      'time to the head of the answer',
      (metrics) => metrics.relay.exchangeEnded(ended),
      'relay_first_byte_seconds_sum{component="proxy"} 0.2',
    ],
    [
      'duration, never a negative one',
      (metrics) => metrics.relay.exchangeEnded({ ...ended, endedAt: 900, headAt: undefined }),
      'relay_duration_seconds_sum{component="proxy"} 0',
    ],
  ])('counts %s', async (_, use, line) => {
    expect(await textAfter(use)).toContain(`claude_nexus_${line}\n`);
  });
});
