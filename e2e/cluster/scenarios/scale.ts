import { eventually } from '../eventually.ts';
import { readMetrics } from '../metrics.ts';
import { GATEWAY, PROXIES } from '../site.ts';
import type { ClusterSite } from '../site.ts';

/** A pod more serves as soon as it is there; one less ends its streams first. */
export async function scaleProxy(site: ClusterSite): Promise<void> {
  await site.disturb(`scale the proxy to ${PROXIES + 1}`, async () => {
    const before = await names(site);
    await scale(site, PROXIES + 1);
    const added = (await names(site)).filter((name) => !before.includes(name));
    await eventually('answers of the new pod', async () => {
      const metrics = await readMetrics(site, 'proxy', added);
      return metrics.sum('relayed_exchanges_total', { outcome: 'completed' }) > 0 || undefined;
    });
  });
  await site.disturb(`scale the proxy to ${PROXIES}`, async () => {
    const before = await site.pods('proxy');
    await scale(site, PROXIES);
    const leaving = (await site.pods('proxy')).filter(({ metadata }) => metadata.deletionTimestamp);
    await site.untilGone(leaving.map(({ metadata }) => metadata.name));
    const left = await names(site);
    if (before.length - left.length !== 1) throw new Error(`${left.length} pods are left`);
  });
}

async function scale(site: ClusterSite, count: number): Promise<void> {
  await site.kubectl('scale', `cnx/${GATEWAY}`, `--replicas=${count}`);
  await site.untilAt('status.replicas', (replicas) => replicas === count);
  await site.untilReady();
}

async function names(site: ClusterSite): Promise<readonly string[]> {
  return (await site.pods('proxy')).map(({ metadata }) => metadata.name);
}
