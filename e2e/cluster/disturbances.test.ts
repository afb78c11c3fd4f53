import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { RealCluster } from './real-cluster.ts';
import { backUpAndRestore } from './scenarios/backup.ts';
import { enforcePolicies } from './scenarios/network.ts';
import { killPostgres } from './scenarios/postgres-pod.ts';
import { deleteProxy, deleteProxyWithoutDatabase } from './scenarios/proxy-pod.ts';
import { rotateCredential, rotateDashboardKey, rotateLogins } from './scenarios/rotation.ts';
import { scaleProxy } from './scenarios/scale.ts';
import { measureStarts } from './scenarios/start-times.ts';
import { traffic } from './scenarios/traffic.ts';
import { uninstall } from './scenarios/uninstall.ts';
import { failMigration, upgrade } from './scenarios/upgrade.ts';
import { ClusterSite } from './site.ts';
import { StepTable } from './step-table.ts';

describe('an installation under load', () => {
  const table = new StepTable();
  let real: RealCluster;
  let site: ClusterSite | undefined;

  beforeAll(async () => {
    real = RealCluster.of(inject('realCluster'));
    site = await ClusterSite.prepare(real, inject('clusterImages'), table);
    await site.install();
  });

  afterAll(async () => {
    process.stdout.write(`\n${table.print()}\n`);
    await site?.remove();
    real.cluster.close();
  });

  test.for([
    // The first: the metrics of pods go with them.
    ['serves the SDK through its Service; database, dashboard and metrics agree with the clients', traffic],
    ['starts each of its programs within two seconds', measureStarts],
    ["outlives PostgreSQL's pod", killPostgres],
    ['loses nothing when a proxy pod is deleted', deleteProxy],
    [
      'loses what it says it abandons when a proxy pod is deleted without a database',
      deleteProxyWithoutDatabase,
    ],
    ['grows to one proxy more, and shrinks', scaleProxy],
    ["changes a domain's credential", rotateCredential],
    ["changes the dashboard's key", rotateDashboardKey],
    ["changes the database's logins", rotateLogins],
    ['goes on with the old version when a migration fails', failMigration],
    ['is upgraded with a schema change', upgrade],
    ['keeps its pods apart as its NetworkPolicies say', enforcePolicies],
    ['is backed up, and restored into an empty namespace', backUpAndRestore],
    // The last: nothing is left afterwards.
    ['leaves nothing but its data when it is uninstalled', uninstall],
  ] as const)('%s', async ([, scenario]) => {
    if (site === undefined) throw new Error('there is no installation');
    await expect(scenario(site)).resolves.toBeUndefined();
  });
});
