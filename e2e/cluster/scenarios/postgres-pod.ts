import { GATEWAY } from '../site.ts';
import type { ClusterSite } from '../site.ts';

/** PostgreSQL is killed a second after it was told to stop, and comes back: proxies keep what comes meanwhile. */
export async function killPostgres(site: ClusterSite): Promise<void> {
  await site.disturb("PostgreSQL's pod is killed", async () => {
    const pod = `pod/${GATEWAY}-postgres-0`;
    await site.kubectl('delete', pod, '--grace-period=1');
    await site.kubectl('wait', '--for=create', pod, '--timeout=60s');
    await site.kubectl('wait', '--for=condition=Ready', pod, '--timeout=180s');
    await site.untilReady();
  });
}
