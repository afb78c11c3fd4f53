import { describe, expect, it } from 'vitest';

import { ANNOTATIONS } from '../../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import { claudeNexus } from '../../testing/claude-nexus.ts';
import { SimulatedCluster } from './testing/simulated-cluster.ts';

function seen(simulated: SimulatedCluster, type: string): number | undefined {
  return simulated.owner.status?.conditions?.find((condition) => condition.type === type)?.observedGeneration;
}

function paused(owner: ClaudeNexus, value: 'true' | 'false'): ClaudeNexus {
  return { ...owner, metadata: { ...owner.metadata, annotations: { [ANNOTATIONS.paused]: value } } };
}

describe('a paused resource', () => {
  it('does not claim to have seen a spec that is not carried out', () => {
    const simulated = new SimulatedCluster(claudeNexus());
    simulated.settle();
    const before = simulated.owner.metadata.generation;
    simulated.edit((owner) => ({
      ...paused(owner, 'true'),
      spec: { ...owner.spec, proxy: { ...owner.spec.proxy, replicas: 5 } },
    }));
    simulated.settle();
    const after = simulated.owner.metadata.generation;
    expect(after).not.toBe(before);
    expect([seen(simulated, 'Ready'), simulated.owner.status?.observedGeneration]).toEqual([before, before]);
    expect(seen(simulated, 'Paused')).toBe(after);

    simulated.edit((owner) => paused(owner, 'false'));
    simulated.settle();
    const now = simulated.owner.metadata.generation;
    expect([seen(simulated, 'Ready'), simulated.owner.status?.observedGeneration]).toEqual([now, now]);
    expect(seen(simulated, 'Paused')).toBeUndefined();
  });
});
