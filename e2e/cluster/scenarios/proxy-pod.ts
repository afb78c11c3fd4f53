import { expect } from 'vitest';

import { logUntilEnd } from '../logs.ts';
import { GATEWAY } from '../site.ts';
import type { ClusterSite } from '../site.ts';

const ABANDONED = 'exchanges were not shipped in time and are abandoned';
/** So many answers are in spools only when a pod is deleted without a database. */
const SPOOLED = 50;

/** It ends its streams, ships what it holds and goes; others take what comes meanwhile. */
export async function deleteProxy(site: ClusterSite): Promise<void> {
  await site.disturb('a proxy pod is deleted', async () => {
    expect(await deleteOne(site)).toBe(0);
    await site.untilReady();
  });
}

/**
 * Its spool goes with it: what it holds then is lost, as many exchanges as it says in its last words and no other. The clients
 * notice nothing.
 */
export async function deleteProxyWithoutDatabase(site: ClusterSite): Promise<void> {
  await site.disturb('a proxy pod is deleted, the database down', async () => {
    await stopDatabase(site);
    try {
      await site.load.more(SPOOLED);
      const lost = await deleteOne(site);
      expect(lost).toBeGreaterThan(0);
      return { lost };
    } finally {
      await startDatabase(site);
    }
  });
}

/** Deletes a pod as people do. @returns the exchanges it says it has abandoned, once it has ended */
async function deleteOne(site: ClusterSite): Promise<number> {
  const [pod] = await site.pods('proxy');
  const name = pod?.metadata.name ?? '';
  const log = logUntilEnd(site, name);
  await site.kubectl('delete', `pod/${name}`, '--wait=false');
  await site.untilGone([name]);
  const said = (await log).filter(({ msg }) => msg === ABANDONED);
  return said.reduce((sum, { exchanges }) => sum + Number(exchanges), 0);
}

/** By hand, which the operator would put back if it were not paused. */
async function stopDatabase(site: ClusterSite): Promise<void> {
  await site.annotate('paused', 'true');
  await site.kubectl('scale', `statefulset/${GATEWAY}-postgres`, '--replicas=0');
  await site.untilGone([`${GATEWAY}-postgres-0`]);
}

async function startDatabase(site: ClusterSite): Promise<void> {
  await site.annotate('paused', null);
  const pod = `pod/${GATEWAY}-postgres-0`;
  await site.kubectl('wait', '--for=create', pod, '--timeout=60s');
  await site.kubectl('wait', '--for=condition=Ready', pod, '--timeout=180s');
  await site.untilReady();
}
