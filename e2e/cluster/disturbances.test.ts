import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { RealCluster } from './real-cluster.ts';
import { killPostgres } from './scenarios/postgres-pod.ts';
import { rotateCredential, rotateDashboardKey } from './scenarios/rotation.ts';
import { traffic } from './scenarios/traffic.ts';
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
    ['serves the SDK through its Service; database, dashboard and metrics agree with the clients', traffic],
    ["outlives PostgreSQL's pod", killPostgres],
    ["changes a domain's credential", rotateCredential],
    ["changes the dashboard's key", rotateDashboardKey],
  ] as const)('%s', async ([, scenario]) => {
    if (site === undefined) throw new Error('there is no installation');
    await expect(scenario(site)).resolves.toBeUndefined();
  });
});
