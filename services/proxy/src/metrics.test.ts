import { createMetrics } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { createProxyMetrics } from './metrics.ts';

describe('createProxyMetrics', () => {
  it('counts local answers, bad credential files and domains by state', async () => {
    const metrics = createMetrics({ component: 'proxy', processMetrics: false });
    const own = createProxyMetrics(metrics);
    own.answered({ route: '/health', status: 200 });
    own.credentialReloadFailed();
    own.watchCredentials(() => ({ current: 2, stale: 1, unusable: 0 }));
    const text = await metrics.registry.metrics();
    expect(text).toContain(
      'claude_nexus_local_answers_total{route="/health",status="200",component="proxy"} 1',
    );
    expect(text).toContain('claude_nexus_credential_reload_failures_total{component="proxy"} 1');
    expect(text).toContain('claude_nexus_credential_domains{state="stale",component="proxy"} 1');
  });
});
