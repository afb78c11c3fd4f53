import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { ClaudeNexus } from '../../api/v1alpha1/claude-nexus.ts';
import type { Cache } from '../../kube/cache.ts';
import { KINDS } from '../../kube/kinds.ts';

/** Shows at every scrape which resources are ready, as their status in the cache says. */
export function registerResourceMetrics(registry: Registry, cache: Cache): void {
  const ready: Gauge<'resource'> = new Gauge({
    name: 'claudenexus_operator_resource_ready',
    help: '1 when the condition Ready of a ClaudeNexus (namespace/name) is True.',
    labelNames: ['resource'],
    registers: [registry],
    collect: () => {
      // One that is gone must not go on being told.
      ready.reset();
      for (const owner of cache.list(KINDS.ClaudeNexus, {}) as ClaudeNexus[]) {
        const { namespace, name } = owner.metadata;
        ready.set({ resource: `${namespace}/${name}` }, isReady(owner) ? 1 : 0);
      }
    },
  });
}

function isReady({ status }: ClaudeNexus): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
