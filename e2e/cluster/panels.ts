import { panelQueries } from '../fixtures/grafana.ts';
import { Prometheus } from '../fixtures/prometheus.ts';
import { eventually } from './eventually.ts';
import { forward } from './pods.ts';
import type { RealCluster } from './real-cluster.ts';

const DASHBOARDS = ['traffic', 'usage', 'recorder', 'operator'];

/** A Deployment whose pods are scraped. */
export interface Scraped {
  readonly namespace: string;
  readonly deployment: string;
  /** Of its metrics. */
  readonly port: number;
}

/**
 * Scrapes one pod of each Deployment with a real Prometheus, which gives the labels a ServiceMonitor does, until every
 * query of every panel of the chart's Grafana dashboards has had data.
 *
 * @param use makes what the panels show; called again and again
 * @returns how many queries that were
 * @throws Error naming the queries that stay without data
 */
export async function untilPanelsHaveData(
  real: RealCluster,
  scraped: readonly Scraped[],
  use: () => Promise<void>,
): Promise<number> {
  const queries = (await Promise.all(DASHBOARDS.map((name) => panelQueries(name)))).flat();
  const waiting = new Set(queries.map(({ expr }) => expr));
  const forwarded = [];
  let prometheus: Prometheus | undefined;
  try {
    const targets = [];
    for (const { namespace, deployment, port } of scraped) {
      const { url, close } = await forward(real, namespace, `deployment/${deployment}`, port);
      forwarded.push(close);
      targets.push({
        address: new URL(url).host,
        job: deployment,
        labels: { namespace, pod: `${deployment}-0` },
      });
    }
    const started = (prometheus = await Prometheus.start(targets));
    const ask = async (): Promise<true | undefined> => {
      await use();
      for (const expr of waiting) {
        const samples = await started.query(expr);
        if (samples.some(({ value: [, text] }) => Number.isFinite(Number(text)))) waiting.delete(expr);
      }
      return waiting.size === 0 || undefined;
    };
    await eventually('data in every panel', ask).catch((error: unknown) => {
      throw new Error(`no data: ${[...waiting].join('\n')}`, { cause: error });
    });
    return queries.length;
  } finally {
    await prometheus?.stop();
    await Promise.all(forwarded.map((close) => close()));
  }
}
