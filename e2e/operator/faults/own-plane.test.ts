import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { until } from '../../fixtures/program.ts';
import { CRD_PATH, installCrd } from '../crd.ts';
import { complaints, stateOf } from '../oracles.ts';
import { OwnPlane } from '../own-plane.ts';
import { setUp } from '../set-up.ts';
import { SHORT_TIMES, Site } from './site.ts';

const SPEC = {
  proxy: { replicas: 2 },
  domains: [{ host: 'api.example.com', credential: { secretRef: { name: 'credentials', key: 'key' } } }],
};
/** What a server that is away explains. */
const AWAY = [/"cannot list or watch"/, /"reconcile failed"/];

describe('an operator whose control plane changes under it', () => {
  const lab = setUp();
  let own: OwnPlane | undefined;
  let running: Site | undefined;

  beforeAll(async () => {
    if (lab.isThere) own = await OwnPlane.start(path.dirname(lab.cluster.connection.kubectl));
  });
  afterEach(() => running?.stop());
  afterAll(() => own?.stop());

  const plane = (): OwnPlane => {
    if (own === undefined) throw new Error('there is no control plane');
    return own;
  };

  /** An installed resource; the operator may use the whole cluster when `env` says so. */
  const installed = async (env: Readonly<Record<string, string>> = {}): Promise<Site> => {
    const site = await Site.start(plane(), { ...SHORT_TIMES, ...env });
    running = site;
    await site.create(SPEC);
    await site.ready();
    await site.quiet();
    return site;
  };

  test('does what was asked for while the API server was away once it is back', async () => {
    const site = await installed();
    const before = await stateOf(site.api, site.ref);
    await site.api.patch(site.path, { spec: { proxy: { replicas: 3 } } });
    await plane().plane.stopServer();
    await site.operator.waitForLog('cannot list or watch');
    await until('/livez to fail', async () =>
      (await site.operator.health('livez')).status === 503 ? true : undefined,
    );
    await plane().plane.startServer();
    await site.ready();
    await site.api.patch(site.path, { spec: { proxy: { replicas: 2 } } });
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
    // Each kind is watched again in its own time, whether the work needs it or not.
    await until('/livez to answer', async () =>
      (await site.operator.health('livez')).status === 200 ? true : undefined,
    );
    expect(complaints(site.operator, AWAY)).toEqual([]);
  });

  test('brings a cluster that was put back to an older state to what that state declares', async () => {
    // Not by the lists it makes now and then.
    const site = await installed({ RESYNC_INTERVAL: '10m' });
    const before = await stateOf(site.api, site.ref);
    const putBack = await plane().plane.saveStore();
    await site.ready();
    await site.api.patch(site.path, { spec: { proxy: { replicas: 4 }, domains: null } });
    await site.ready();
    await site.quiet();
    await putBack();
    // Nobody would tell of it: resource versions begin again before those that were seen.
    await site.api.remove(site.child('api/v1', 'services', 'nexus-proxy'));
    await until('the Service to be back', () =>
      site.api.find(site.child('api/v1', 'services', 'nexus-proxy')),
    );
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
  });

  test('serves resources again after their definition was deleted and made anew', async () => {
    const site = await installed({ WATCH_NAMESPACES: '' });
    const before = await stateOf(site.api, site.ref);
    await site.api.remove(CRD_PATH);
    await until('the children to be collected', async () => {
      const left = Object.keys(await stateOf(site.api, site.ref));
      return left.every((key) => /^(PersistentVolumeClaim\/|Secret\/nexus-postgres-password$)/.test(key))
        ? true
        : undefined;
    });
    expect(Object.keys(await stateOf(site.api, site.ref)).length).toBe(2);
    await installCrd(plane().cluster);
    await site.create(SPEC);
    await site.ready();
    await site.quiet();
    expect(await stateOf(site.api, site.ref)).toEqual(before);
    expect(complaints(site.operator, AWAY)).toEqual([]);
  });
});
