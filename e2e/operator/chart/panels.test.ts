import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import { declaredMetrics, metricsOf, panelQueries } from '../../fixtures/grafana.ts';
import { lacking, Prometheus } from '../../fixtures/prometheus.ts';
import { until } from '../../fixtures/program.ts';
import { Gateway } from '../gateway.ts';
import { runOperator } from '../operator-process.ts';
import { setUp } from '../set-up.ts';
import type { OperatorProcess } from '../operator-process.ts';

const queries = await panelQueries('operator');
const missing = await lacking('prometheus');

describe('a panel of the dashboard of the operator', () => {
  let operator: OperatorProcess;
  let prometheus: Prometheus | undefined;
  let gateway: Gateway;
  setUp(async (lab) => {
    operator = await runOperator(lab.cluster);
    gateway = await Gateway.ready(lab);
    if (missing !== undefined) return;
    const labels = { namespace: 'nexus-system', pod: 'nexus-claude-nexus-operator-5f7c9d-x2x4x' };
    const job = 'nexus-claude-nexus-operator';
    prometheus = await Prometheus.start([{ address: await operator.metricsTarget(), job, labels }]);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await operator?.stop();
  });

  test('asks for metrics that the operator has', async () => {
    const declared = declaredMetrics(await operator.metrics());
    expect(queries.flatMap(({ expr }) => metricsOf(expr)).filter((name) => !declared.has(name))).toEqual([]);
  });

  describe('over what a real Prometheus has scraped', () => {
    beforeEach((context) => {
      if (missing !== undefined) context.skip(missing);
    });

    test.each(queries)('$panel: $expr has data', async ({ expr }) => {
      const values = await until(`data of ${expr}`, async () => {
        // Something to reconcile.
        await gateway.annotate({ 'example.com/looked-at': String(performance.now()) });
        const samples = (await prometheus?.query(expr)) ?? [];
        const numbers = samples.map(({ value: [, text] }) => Number(text)).filter(Number.isFinite);
        return numbers.length > 0 ? numbers : undefined;
      });
      expect(values).not.toEqual([]);
    });
  });
});
