import type { Metrics } from '@claude-nexus/runtime';

import type { CredentialCounts } from './credentials/credential-store.ts';

/** What the proxy counts outside relay and recorder. */
export interface ProxyMetrics {
  /** A request answered by the proxy itself, outside `/v1/`. */
  answered(answer: { route: string; status: number }): void;
  /** A credential file, or the folder of them, was found bad while running. */
  credentialReloadFailed(): void;
  /** Shows the state of the domains at every scrape. */
  watchCredentials(counts: () => CredentialCounts): void;
}

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const answers = metrics.counter({
    name: 'local_answers_total',
    help: 'Requests the proxy answered itself, outside /v1/.',
    labels: ['route', 'status'],
  });
  const failures = metrics.counter({
    name: 'credential_reload_failures_total',
    help: 'Bad versions of credential files found while running.',
  });
  return {
    answered: ({ route, status }) => answers.inc({ route, status: String(status) }),
    credentialReloadFailed: () => failures.inc(),
    watchCredentials: (counts) => {
      metrics.gauge({
        name: 'credential_domains',
        help: 'Domains with a credential file: current, stale (last good version in force) or unusable (refused).',
        labels: ['state'],
        collect: (gauge) => {
          for (const [state, count] of Object.entries(counts())) gauge.set({ state }, count);
        },
      });
    },
  };
}
