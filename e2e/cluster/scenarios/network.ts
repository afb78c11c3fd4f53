import { expect } from 'vitest';

import { at } from '../../fixtures/control-plane/api.ts';
import { execute, untilCondition } from '../pods.ts';
import { GATEWAY, MONITORING } from '../site.ts';
import { TESTER } from '../tester.ts';
import type { TestObject } from '../../fixtures/control-plane/api.ts';
import type { ClusterSite } from '../site.ts';

const STRANGER = 'stranger';
const PORTS = {
  upstream: 8080,
  proxy: 3000,
  'proxy metrics': 9090,
  dashboard: 3001,
  'dashboard metrics': 9091,
  database: 5432,
} as const;
type Place = keyof typeof PORTS;

/** Whom each pod can reach of all these places; what the policies say and nothing else. */
const REACHES: Readonly<Record<string, readonly Place[]>> = {
  // `networkPolicy.from` and `metricsFrom` of the site name these two. Nothing guards the upstream itself.
  // Not of itself: it is the upstream.
  [TESTER]: ['proxy', 'dashboard'],
  [MONITORING]: ['upstream', 'proxy metrics', 'dashboard metrics'],
  [STRANGER]: ['upstream'],
  // By its port: where an upstream is, no policy knows.
  proxy: ['upstream', 'database'],
  dashboard: ['proxy', 'database'],
};

/** Every pod reaches what the NetworkPolicies let it reach. */
export async function enforcePolicies(site: ClusterSite): Promise<void> {
  await site.disturb('every pod tries to reach every other', async () => {
    for (const name of [MONITORING, STRANGER]) await startPod(site, name);
    const addresses = await addressesOf(site);
    const pods = {
      [TESTER]: TESTER,
      [MONITORING]: MONITORING,
      [STRANGER]: STRANGER,
      proxy: await podOf(site, 'proxy'),
      dashboard: await podOf(site, 'dashboard'),
    };
    const seen: Record<string, readonly string[]> = {};
    for (const [who, pod] of Object.entries(pods)) seen[who] = await reached(site, pod, addresses);
    expect(seen).toEqual(REACHES);
    expect(await databaseReaches(site, addresses)).toEqual([]);
    for (const name of [MONITORING, STRANGER]) {
      await site.kubectl('delete', `pod/${name}`, '--grace-period=1');
    }
  });
}

async function startPod(site: ClusterSite, name: string): Promise<void> {
  await site.real.cluster.api().create(`/api/v1/namespaces/${site.namespace}/pods`, {
    metadata: { name, labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: site.images.tester, command: ['sleep', 'infinity'] }],
    },
  });
  await untilCondition(site.real, { namespace: site.namespace, object: `pod/${name}` });
}

/** Of pods, not Services: what a policy lets through does not depend on the way. */
async function addressesOf(site: ClusterSite): Promise<Readonly<Record<Place, string>>> {
  const tester = await site.real.cluster.api().get(`/api/v1/namespaces/${site.namespace}/pods/${TESTER}`);
  const first = async (component: string): Promise<string> => addressOf((await site.pods(component))[0]);
  const [proxy, dashboard] = [addressOf((await site.pods('proxy')).at(-1)), await first('dashboard')];
  return {
    upstream: addressOf(tester),
    proxy,
    'proxy metrics': proxy,
    dashboard,
    'dashboard metrics': dashboard,
    database: await first('postgres'),
  };
}

function addressOf(pod: TestObject | undefined): string {
  return String(at(pod, 'status.podIP'));
}

async function podOf(site: ClusterSite, component: string): Promise<string> {
  return (await site.pods(component))[0]?.metadata.name ?? '';
}

/** Places a pod with Node.js can connect to, but for itself. */
async function reached(
  site: ClusterSite,
  pod: string,
  addresses: Readonly<Record<Place, string>>,
): Promise<readonly string[]> {
  const source = `
    const { connect } = require('node:net');
    const { networkInterfaces } = require('node:os');
    const own = Object.values(networkInterfaces()).flat().map(({ address }) => address);
    const connects = (host, port) => new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 3000 });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('timeout', () => resolve(false));
    });
    (async () => {
      const reached = [];
      for (const [place, host, port] of ${JSON.stringify(targetsOf(addresses))}) {
        if (!own.includes(host) && (await connects(host, port))) reached.push(place);
      }
      console.log(JSON.stringify(reached));
      process.exit();
    })();
  `;
  const command = ['node', '-e', source];
  return JSON.parse(await execute(site.real, { namespace: site.namespace, pod, command })) as string[];
}

/** The same for the database, whose image has no Node.js. */
async function databaseReaches(
  site: ClusterSite,
  addresses: Readonly<Record<Place, string>>,
): Promise<readonly string[]> {
  const tries = targetsOf(addresses)
    .filter(([place]) => place !== 'database')
    .map(([place, host, port]) => `(: </dev/tcp/${host}/${port}) 2>/dev/null && echo '${place}'`);
  const command = ['timeout', '60', 'bash', '-c', `${tries.join('\n')}\ntrue`];
  const pod = `${GATEWAY}-postgres-0`;
  const printed = await execute(site.real, { namespace: site.namespace, pod, command });
  return printed.split('\n').filter((line) => line !== '');
}

function targetsOf(
  addresses: Readonly<Record<Place, string>>,
): readonly (readonly [Place, string, number])[] {
  return (Object.keys(PORTS) as Place[]).map((place) => [place, addresses[place], PORTS[place]]);
}
