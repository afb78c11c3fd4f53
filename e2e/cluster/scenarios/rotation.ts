import { expect } from 'vitest';

import { DashboardClient } from '../../fixtures/dashboard-client.ts';
import { eventually } from '../eventually.ts';
import { forward } from '../pods.ts';
import { GATEWAY, newApiKey } from '../site.ts';
import type { ClusterSite } from '../site.ts';

/** The newest requests, of all that end soon, that show which key is in use. */
const NEWEST = 20;
/** Two Jobs and two rollouts, the last of which waits for the longest stream. */
const LOGINS_SECONDS = 420;

/** The upstream sees another key soon, and no pod restarts. */
export async function rotateCredential(site: ClusterSite): Promise<void> {
  const key = newApiKey();
  await site.disturb("rotate a domain's credential", async () => {
    const before = await uids(site);
    const secret = `/api/v1/namespaces/${site.namespace}/secrets/anthropic`;
    await site.real.cluster.api().patch(secret, { stringData: { 'api-key': key } });
    await eventually('the new key alone', async () => {
      const seen = new Set(await newestKeys(site));
      return (seen.size === 1 && seen.has(key)) || undefined;
    });
    expect(await uids(site)).toEqual(before);
  });
}

/** The new key opens the dashboard, the old one no longer. */
export async function rotateDashboardKey(site: ClusterSite): Promise<void> {
  const old = await dashboardKey(site);
  await site.disturb("rotate the dashboard's key", async () => {
    const pods = await site.pods('dashboard');
    await site.annotate('rotate-dashboard-key', 'cluster-test');
    await site.untilAt('status.rotations.dashboardKey', (value) => value === 'cluster-test');
    await site.untilGone(pods.map(({ metadata }) => metadata.name));
    await site.untilReady();
  });
  const { url, close } = await forward(site.real, site.namespace, `service/${GATEWAY}-dashboard`, 3001);
  try {
    const statusWith = async (key: string): Promise<number> =>
      (await new DashboardClient(url, key).fetch('/api/requests')).status;
    expect(await statusWith(old)).toBe(401);
    expect(await statusWith(await dashboardKey(site))).toBe(200);
  } finally {
    await close();
  }
}

/** Pods change over to the other login of their service; then the old one is locked and has no session left. */
export async function rotateLogins(site: ClusterSite): Promise<void> {
  const before = await logins(site);
  await site.disturb("rotate the database's logins", async () => {
    const pods = [...(await site.pods('proxy')), ...(await site.pods('dashboard'))];
    await site.annotate('rotate-logins', 'cluster-test');
    await site.untilAt('status.rotations.logins', (value) => value === 'cluster-test', LOGINS_SECONDS);
    await site.untilGone(pods.map(({ metadata }) => metadata.name));
    await site.untilReady();
  });
  const after = await logins(site);
  expect(before).toHaveLength(2);
  expect(after).toHaveLength(2);
  expect(after.filter((name) => before.includes(name))).toEqual([]);
  const sessions = `select distinct usename from pg_stat_activity where usename like 'nexus\\_%' order by 1`;
  expect((await site.sql(sessions)).split('\n')).toEqual(after);
}

/** Those that may connect. */
async function logins(site: ClusterSite): Promise<readonly string[]> {
  const query = `select rolname from pg_roles where rolcanlogin and rolname like 'nexus\\_%' order by 1`;
  return (await site.sql(query)).split('\n');
}

async function dashboardKey(site: ClusterSite): Promise<string> {
  return (await site.secret(`${GATEWAY}-keys`))['dashboard-api-key'] ?? '';
}

async function uids(site: ClusterSite): Promise<readonly string[]> {
  return (await site.pods('proxy')).map(({ metadata }) => metadata.uid).toSorted();
}

/** Keys of the newest requests in the log of the stand-in. Streams are in it once they have ended. */
async function newestKeys(site: ClusterSite): Promise<readonly string[]> {
  const printed = await site.tester.script(`
    import { readFileSync } from 'node:fs';
    const exchanges = readFileSync('/tmp/exchanges.jsonl', 'utf8').trimEnd().split('\\n').slice(-500).map((line) => JSON.parse(line));
    exchanges.sort((a, b) => b.receivedAt - a.receivedAt);
    const keyOf = ({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'x-api-key') + 1];
    console.log(JSON.stringify(exchanges.filter(({ method }) => method === 'POST').slice(0, ${NEWEST}).map(keyOf)));
  `);
  return JSON.parse(printed) as string[];
}
