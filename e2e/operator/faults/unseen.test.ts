import { describe, expect, test } from 'vitest';

import { at } from '../../fixtures/control-plane/api.ts';
import { until } from '../../fixtures/program.ts';
import { setUp } from '../set-up.ts';
import { creationsAndDeletions, stateOf } from '../oracles.ts';
import { SHORT_TIMES, sitesOf } from './site.ts';
import type { Site } from './site.ts';

const SPEC = {
  proxy: { replicas: 2 },
  database: { managed: { backup: {} } },
  domains: [{ host: 'api.example.com', credential: { secretRef: { name: 'credentials', key: 'key' } } }],
};
const WINDOW_MS = 2500;

const deployment = (site: Site): string => site.child('apis/apps/v1', 'deployments', 'nexus-proxy');
const service = (site: Site): string => site.child('api/v1', 'services', 'nexus-proxy');

/** The window in which nothing may happen. */
const window = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, WINDOW_MS));

describe('an operator that does not see everything', () => {
  const lab = setUp();
  const newSite = sitesOf(lab);

  const installed = async (): Promise<Site> => {
    const site = await newSite(SHORT_TIMES);
    await site.create(SPEC);
    await site.ready();
    await site.quiet();
    return site;
  };

  test('repairs what the events it never got were about', async () => {
    const site = await installed();
    const before = await stateOf(site.api, site.ref);
    const hear = site.proxy.dropEvents(({ name }) => name === 'nexus-proxy' || name === 'nexus-postgres');
    const { uid } = (await site.api.get(deployment(site))).metadata;
    await site.api.remove(deployment(site));
    await site.api.remove(service(site));
    await site.api.patch(site.child('apis/apps/v1', 'statefulsets', 'nexus-postgres'), {
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } },
    });
    await until('the Deployment to be back', async () => {
      const found = await site.api.find(deployment(site));
      return found !== undefined && found.metadata.uid !== uid ? true : undefined;
    });
    hear();
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
  });

  test('is not misled by what came and went while its watches were away', async () => {
    const site = await installed();
    const before = await stateOf(site.api, site.ref);
    const away = site.proxy.on({ verb: 'watch' }, { kind: 'reset' });
    site.proxy.cutWatches();
    await site.api.create(site.path.replace(/\/nexus$/, ''), {
      apiVersion: 'claudenexus.dev/v1alpha1',
      kind: 'ClaudeNexus',
      metadata: { name: 'passing' },
      spec: {},
    });
    await site.api.remove(site.path.replace(/nexus$/, 'passing'));
    await site.api.remove(service(site));
    await site.api.create(service(site).replace(/\/nexus-proxy$/, ''), {
      metadata: { name: 'passing' },
      spec: { ports: [{ port: 1 }] },
    });
    await site.api.remove(service(site).replace(/nexus-proxy$/, 'passing'));
    await site.api.patch(site.path, { spec: { proxy: { replicas: 3 } } });
    await site.api.patch(site.path, { spec: { proxy: { replicas: 2 } } });
    away.release();
    await until('the Service to be back', () => site.api.find(service(site)));
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
  });

  test('takes nothing back when a new one is shown the past', async () => {
    const site = await newSite();
    await site.create(SPEC);
    await site.ready();
    await site.quiet();
    // Its lists are what a later one will be shown.
    await site.restart();
    await site.quiet();
    await site.api.patch(site.path, {
      spec: { images: { proxy: 'registry.test/proxy:2' }, proxy: { replicas: 4 } },
      metadata: { annotations: { 'claudenexus.dev/rotate-logins': 'one' } },
    });
    await site.ready((resource) => at(resource, 'status.rotations.logins') === 'one');
    await site.quiet();
    const before = await stateOf(site.api, site.ref);
    const secrets = await contentsOf(site);
    const mark = await site.cluster.auditMark();

    await site.operator.stop('SIGKILL');
    const present = site.proxy.freezeLists();
    const speak = site.proxy.silenceWatches();
    site.operator = await site.startOperator();
    await site.operator.ready();
    await window();
    // Applies that change nothing, of what a new one does not know it has applied.
    expect(await stateOf(site.api, site.ref)).toEqual(before);

    present();
    speak();
    site.proxy.endWatches();
    site.proxy.cutWatches();
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
    expect(await contentsOf(site)).toEqual(secrets);
    expect(await creationsAndDeletions(site.cluster, mark, site.namespace)).toEqual({});
  });

  test.for(['cronjobs', 'secrets'])(
    'deletes and changes nothing before it knows all of its %s',
    async (resource) => {
      const site = await installed();
      const before = await stateOf(site.api, site.ref);
      await site.operator.stop();
      // What is not wanted any more would be pruned first of all.
      await site.api.patch(site.path, { spec: { database: { managed: { backup: null } } } });
      const known = Promise.withResolvers<void>();
      site.proxy.on({ verb: 'list', resource }, { kind: 'call', before: () => known.promise });
      const seen = site.proxy.requests.length;
      site.operator = await site.startOperator();
      await until('the other lists', async () =>
        site.proxy.requests.slice(seen).some(({ verb }) => verb === 'watch') ? true : undefined,
      );
      await window();
      expect(site.proxy.requests.slice(seen).filter(({ method }) => method !== 'GET')).toEqual([]);
      expect((await site.operator.health('readyz')).status).toBe(503);
      known.resolve();
      await site.ready();
      await site.quiet();
      const after = Object.keys(await stateOf(site.api, site.ref));
      expect(Object.keys(before).filter((name) => !after.includes(name))).toEqual(['CronJob/nexus-backup']);
    },
  );
});

async function contentsOf(site: Site): Promise<Record<string, unknown>> {
  const secrets = await site.api.list(`/api/v1/namespaces/${site.namespace}/secrets`);
  return Object.fromEntries(secrets.map((secret) => [secret.metadata.name, secret['data']]));
}
