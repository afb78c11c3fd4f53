import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { childName } from './names.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold before it is reported. */
  readonly for: string;
  readonly labels: { readonly severity: 'warning' | 'critical' };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

interface AlertText {
  readonly severity: 'warning' | 'critical';
  readonly for: string;
  readonly summary: string;
  readonly description: string;
}

type AlertDraft = Omit<Alert, 'annotations'> & {
  readonly annotations: Omit<Alert['annotations'], 'runbook_url'>;
};

/**
 * What somebody should know about before users do, on the metrics of the proxy.
 *
 * @param runbookUrl page with a section for each alert, named after it
 */
export function alerts(owner: ClaudeNexus, runbookUrl: string): readonly Alert[] {
  const series = seriesOf(owner);
  const drafts = [
    ...recordingAlerts(series),
    ...spoolAlerts(series),
    ...relayAlerts(series),
    ...credentialAlerts(series),
  ];
  return drafts.map((draft) => ({
    ...draft,
    annotations: { ...draft.annotations, runbook_url: `${runbookUrl}#${draft.alert.toLowerCase()}` },
  }));
}

/** A metric of ours with its labels, narrowed to the proxy pods of one resource. */
type Series = (metric: string, labels?: string) => string;

function seriesOf(owner: ClaudeNexus): Series {
  const pods = `${childName(owner.metadata.name, 'proxy').replaceAll('.', '[.]')}-[a-z0-9]+-[a-z0-9]+`;
  const ours = `namespace="${owner.metadata.namespace}",pod=~"${pods}"`;
  return (metric, labels) => `claude_nexus_${metric}{${ours}${labels === undefined ? '' : `,${labels}`}}`;
}

function alert(name: string, expr: string, text: AlertText): AlertDraft {
  const { severity, summary, description } = text;
  return {
    alert: `ClaudeNexus${name}`,
    expr,
    for: text.for,
    labels: { severity },
    annotations: { summary, description },
  };
}

function recordingAlerts(series: Series): AlertDraft[] {
  const outages = series('recorder_batch_failures_total', 'kind="outage"');
  return [
    alert('DatabaseUnreachable', `increase(${outages}[5m]) > 0`, {
      severity: 'critical',
      for: '2m',
      summary: 'The database takes no recordings',
      description:
        '{{ $labels.pod }} cannot write to the database. Clients are served, the spool keeps what they do until it is full; the dashboard is down.',
    }),
    alert('RecordingBehind', `${series('recorder_lag_seconds')} > 300`, {
      severity: 'warning',
      for: '5m',
      summary: 'Recordings reach the database late',
      description:
        'The oldest exchange of {{ $labels.pod }} that is not in the database yet is {{ $value | humanizeDuration }} old. Nothing is lost while the spool has room; look whether the database answers.',
    }),
    alert('ExchangesLost', `increase(${series('recorder_lost_exchanges_total')}[15m]) > 0`, {
      severity: 'critical',
      for: '0m',
      summary: 'Exchanges were not recorded',
      description:
        '{{ $labels.pod }} did not record {{ $value | humanize }} exchanges in full in 15 minutes, for the reason {{ $labels.reason }}. Clients got their answers.',
    }),
    alert('RecordsQuarantined', `increase(${series('recorder_quarantined_records_total')}[1h]) > 0`, {
      severity: 'warning',
      for: '0m',
      summary: 'The database refuses recordings',
      description:
        '{{ $labels.pod }} put {{ $value | humanize }} records aside within an hour because the database takes the others but not these. They are gone with the pod.',
    }),
  ];
}

function spoolAlerts(series: Series): AlertDraft[] {
  return [
    alert('SpoolFilling', `${series('spool_bytes')} / ${series('spool_max_bytes')} > 0.5`, {
      severity: 'warning',
      for: '5m',
      summary: 'The spool of a proxy is filling up',
      description:
        'The spool of {{ $labels.pod }} is {{ $value | humanizePercentage }} full. When it is full, exchanges are no longer recorded; look whether the database answers.',
    }),
    alert('SpoolFull', `${series('spool_full')} == 1`, {
      severity: 'critical',
      for: '0m',
      summary: 'The spool of a proxy is full',
      description: '{{ $labels.pod }} records no new exchange until the database takes what it holds.',
    }),
    alert('SpoolFailing', `${series('spool_failing')} == 1`, {
      severity: 'critical',
      for: '1m',
      summary: 'A proxy cannot write to its spool',
      description:
        '{{ $labels.pod }} records nothing while writes to its spool fail; look at the disk of its node.',
    }),
  ];
}

function relayAlerts(series: Series): AlertDraft[] {
  const failed = `sum(rate(${series('relayed_exchanges_total', 'status=~"5.."')}[5m]))`;
  const all = `sum(rate(${series('relayed_exchanges_total')}[5m]))`;
  return [
    alert('ProxyAbsent', `absent(${series('relay_inflight_exchanges')})`, {
      severity: 'critical',
      for: '5m',
      summary: 'No proxy answers',
      description: 'Prometheus reaches no proxy of this gateway: clients are probably not served.',
    }),
    alert('UpstreamErrors', `${failed} / ${all} > 0.1`, {
      severity: 'warning',
      for: '10m',
      summary: 'Many exchanges end in an error of the upstream',
      description: '{{ $value | humanizePercentage }} of the exchanges ended with a status of 500 or above.',
    }),
  ];
}

function credentialAlerts(series: Series): AlertDraft[] {
  return [
    alert('CredentialStale', `${series('credential_domains', 'state="stale"')} > 0`, {
      severity: 'warning',
      for: '5m',
      summary: 'A changed credential could not be loaded',
      description:
        '{{ $labels.pod }} uses the last good version for {{ $value }} domains; its log names file and field.',
    }),
    alert('CredentialUnusable', `${series('credential_domains', 'state="unusable"')} > 0`, {
      severity: 'critical',
      for: '1m',
      summary: 'A domain has no usable credential',
      description:
        '{{ $labels.pod }} refuses the requests of {{ $value }} domains; its log names file and field.',
    }),
    alert('CredentialReloadFailing', `increase(${series('credential_reload_failures_total')}[15m]) > 0`, {
      severity: 'warning',
      for: '0m',
      summary: 'Credential files were found bad',
      description:
        '{{ $labels.pod }} met {{ $value | humanize }} bad versions of credential files in 15 minutes.',
    }),
  ];
}
