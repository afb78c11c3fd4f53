import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import type { Condition } from '../../api/v1alpha1/conditions.ts';
import { Cache } from '../../kube/cache.ts';
import { KINDS } from '../../kube/kinds.ts';
import { createOperatorMetrics } from '../../kube/metrics.ts';
import { captureLogger } from '../../kube/testing/capture-logger.ts';
import { claudeNexus } from '../../testing/claude-nexus.ts';
import { registerResourceMetrics } from './resource-metrics.ts';

const NAME = 'claudenexus_operator_resource_ready';

function condition(status: Condition['status']): Condition {
  return {
    type: 'Ready',
    status,
    reason: 'AllReady',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
}

function harness() {
  const { log } = captureLogger();
  const cache = new Cache({ log, metrics: createOperatorMetrics({ processMetrics: false }) });
  const registry = new Registry();
  registerResourceMetrics(registry, cache);
  return { sink: cache.sink(KINDS.ClaudeNexus), text: () => registry.metrics() };
}

describe('the metric of readiness', () => {
  it.each([
    ['1 for one that is ready', { conditions: [condition('True')] }, '1'],
    ['0 for one that is not', { conditions: [condition('False')] }, '0'],
    ['0 for one whose state is unknown', { conditions: [condition('Unknown')] }, '0'],
    ['0 for one without a status', undefined, '0'],
  ])('is %s', async (_, status, value) => {
    const { sink, text } = harness();
    sink.upsert(claudeNexus(status === undefined ? {} : { status }));
    expect(await text()).toContain(`${NAME}{resource="team/gateway"} ${value}\n`);
  });

  it('forgets one that is gone', async () => {
    const { sink, text } = harness();
    sink.upsert(claudeNexus());
    await text();
    sink.remove({ namespace: 'team', name: 'gateway' });
    expect(await text()).not.toContain('team/gateway');
  });
});
