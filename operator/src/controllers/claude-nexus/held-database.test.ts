import { describe, expect, it } from 'vitest';

import { claudeNexus, managedDatabase } from '../../testing/claude-nexus.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';
import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';

type Database = ClaudeNexus['spec']['database'];

const absent: Database = { external: { secretRef: { name: 'absent' } } };
const cluster: Database = {
  cloudNativePG: { instances: 1, storage: { size: '1Gi' }, deletionPolicy: 'Retain' },
};

function switchTo(simulated: SimulatedCluster, database: Database): void {
  simulated.edit((owner) => ({ ...owner, spec: { ...owner.spec, database } }));
}

const readyOf = (simulated: SimulatedCluster) =>
  simulated.owner.status?.conditions?.find(({ type }) => type === 'Ready');

describe('a switch to a database that cannot be used', () => {
  it.each([
    ['an external one without its Secret', absent, 'SecretNotFound'],
    ['a cluster that is not ready', cluster, 'ClusterNotReady'],
  ])('leaves the present one and its users as they are: %s', (_, database, reason) => {
    const simulated = new SimulatedCluster(claudeNexus());
    simulated.settle();
    const before = new Map(simulated.objects);
    switchTo(simulated, database);
    simulated.settle();
    expect(readyOf(simulated)).toMatchObject({ status: 'False', reason });
    for (const [key, object] of before) expect(simulated.get(key), key).toEqual(object);
    switchTo(simulated, managedDatabase());
    simulated.settle();
    expect(readyOf(simulated)).toMatchObject({ status: 'True' });
  });
});
