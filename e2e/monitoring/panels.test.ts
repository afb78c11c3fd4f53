import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { TestGateway } from '../fixtures/gateway.ts';
import { declaredMetrics, metricsOf, panelQueries } from '../fixtures/grafana.ts';
import { lacking, Prometheus } from '../fixtures/prometheus.ts';
import { until } from '../fixtures/program.ts';

const DASHBOARDS = ['traffic', 'usage', 'recorder'];
const CLIENT_KEY = 'cnp_live_a-client-key-of-the-team';

const queries = (await Promise.all(DASHBOARDS.map((name) => panelQueries(name)))).flat();
const missing = await lacking('prometheus');

/** As a ServiceMonitor gives them. */
const labels = (component: string) => ({ namespace: 'team', pod: `gateway-${component}-5f7c9d-x2x4x` });

let gateway: TestGateway;
let prometheus: Prometheus | undefined;
beforeAll(async () => {
  gateway = await TestGateway.start({
    credentials: {
      localhost: {
        type: 'api_key',
        accountId: 'team',
        api_key: 'sk-ant-api03-the-credential-of-the-team',
        client_keys: [{ name: 'laptop', key: CLIENT_KEY }],
      },
    },
  });
  if (missing !== undefined) return;
  const { proxy, dashboard } = gateway.metricsTargets;
  prometheus = await Prometheus.start([
    { address: proxy, job: 'gateway-proxy', labels: labels('proxy') },
    { address: dashboard, job: 'gateway-dashboard', labels: labels('dashboard') },
  ]);
});
afterAll(async () => {
  await prometheus?.stop();
  await gateway?.stop();
});

/** A little of everything that is counted. */
async function traffic(): Promise<void> {
  const url = gateway.proxyUrl.replace('127.0.0.1', 'localhost');
  const client = sessionClient(url, { apiKey: CLIENT_KEY });
  await client.sdk.messages.create(prompt('hi'));
  await client.sdk.messages.create(prompt('fail: cached'));
  await client.sdk.messages.create(prompt('fail: overloaded')).catch(() => undefined);
  const stranger = sessionClient(url, { apiKey: 'cnp_wrong' });
  await stranger.sdk.messages.create(prompt('hi')).catch(() => undefined);
  for (const address of [`${gateway.proxyUrl}/health`, `${gateway.dashboardUrl}/health`]) {
    await (await fetch(address)).body?.cancel();
  }
}

describe('a panel of a dashboard', () => {
  it('asks for metrics that proxy and dashboard have', async () => {
    const { proxy, dashboard } = gateway.metricsTargets;
    const texts = await Promise.all(
      [proxy, dashboard].map(async (address) => (await fetch(`http://${address}/metrics`)).text()),
    );
    const declared = declaredMetrics(texts.join('\n'));
    const asked = queries.flatMap(({ expr }) => metricsOf(expr));
    expect(asked.length).toBeGreaterThan(queries.length - 1);
    expect(asked.filter((name) => !declared.has(name))).toEqual([]);
  });

  describe('over what a real Prometheus has scraped', () => {
    beforeEach((context) => {
      if (missing !== undefined) context.skip(missing);
    });

    it.each(queries)('$panel: $expr has data', async ({ expr }) => {
      const values = await until(`data of ${expr}`, async () => {
        await traffic();
        const samples = (await prometheus?.query(expr)) ?? [];
        const numbers = samples.map(({ value: [, text] }) => Number(text)).filter(Number.isFinite);
        return numbers.length > 0 ? numbers : undefined;
      });
      expect(values).not.toEqual([]);
    });
  });
});
