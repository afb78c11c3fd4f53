import type { Metrics } from '@claude-nexus/runtime';

import type { CredentialCounts } from './credentials/credential-store.ts';
import type { ExchangeSummary, RelayMetrics } from './relay/ports.ts';

/** What the proxy counts, apart from what the recorder counts itself. */
export interface ProxyMetrics {
  /** A request answered by the proxy itself, outside `/v1/`. */
  answered(answer: { route: string; status: number }): void;
  /** A credential file, or the folder of them, was found bad while running. */
  credentialReloadFailed(): void;
  /** Shows the state of the domains at every scrape. */
  watchCredentials(counts: () => CredentialCounts): void;
  /** Shows the exchanges in progress at every scrape. */
  watchInflight(count: () => number): void;
}

/** Stands for every domain without a credential file: their names come from clients and have no end. */
const OTHER_DOMAIN = 'other';

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const answers = metrics.counter({
    name: 'local_answers_total',
    help: 'Requests the proxy answered itself, outside /v1/.',
    labels: ['route', 'status'],
  });
  const reloadFailures = metrics.counter({
    name: 'credential_reload_failures_total',
    help: 'Bad versions of credential files found while running.',
  });
  return {
    answered: ({ route, status }) => answers.inc({ route, status: String(status) }),
    credentialReloadFailed: () => reloadFailures.inc(),
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
    watchInflight: (count) => {
      metrics.gauge({
        name: 'relay_inflight_exchanges',
        help: 'Exchanges in progress.',
        collect: (gauge) => gauge.set(count()),
      });
    },
  };
}

/** @param isManaged true for domains with a credential file, which get series of their own */
export function createRelayMetrics(metrics: Metrics, isManaged: (domain: string) => boolean): RelayMetrics {
  const exchanges = metrics.counter({
    name: 'relayed_exchanges_total',
    help: 'Exchanges under /v1/, by how they ended and the status the client got (none: it left before).',
    labels: ['domain', 'outcome', 'status'],
  });
  const refusals = metrics.counter({
    name: 'relay_refusals_total',
    help: 'Requests under /v1/ answered without an exchange: access refused, malformed, draining, overloaded.',
    labels: ['status', 'error_type'],
  });
  const bytes = metrics.counter({
    name: 'relayed_bytes_total',
    help: 'Body bytes forwarded: request (to the upstream) and response (to clients).',
    labels: ['direction'],
  });
  const firstByte = metrics.histogram({
    name: 'relay_first_byte_seconds',
    help: 'From the arrival of a request to the head of the answer of the upstream.',
  });
  const duration = metrics.histogram({
    name: 'relay_duration_seconds',
    help: 'From the arrival of a request to the end of its answer.',
  });
  return {
    exchangeEnded: (summary: ExchangeSummary) => {
      const { startedAt, headAt, endedAt } = summary;
      const domain = isManaged(summary.domain) ? summary.domain : OTHER_DOMAIN;
      exchanges.inc({ domain, outcome: summary.outcome, status: String(summary.status ?? 'none') });
      bytes.inc({ direction: 'request' }, summary.requestBytes);
      bytes.inc({ direction: 'response' }, summary.responseBytes);
      // The clock of the system may be set back in between.
      if (headAt !== undefined) firstByte.observe(Math.max(0, headAt - startedAt) / 1000);
      duration.observe(Math.max(0, endedAt - startedAt) / 1000);
    },
    refused: ({ status, errorType }) => refusals.inc({ status: String(status), error_type: errorType }),
  };
}
