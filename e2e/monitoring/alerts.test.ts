import { beforeEach, describe, expect, it } from 'vitest';

import { alerts } from '../../operator/src/resources/alerts.ts';
import { claudeNexus } from '../../operator/src/testing/claude-nexus.ts';
import { lacking } from '../fixtures/prometheus.ts';
import { checkRules, tryAlert } from './promtool.ts';
import type { Case, Series } from './promtool.ts';

const POD = 'gateway-proxy-5f7c9d-x2x4x';
const GROUPS = [{ name: 'gateway', rules: alerts(claudeNexus(), 'https://runbooks.example/alerts') }];

interface Of {
  readonly namespace?: string;
  readonly pod?: string;
  readonly labels?: string;
}

function series(
  metric: string,
  values: string,
  { namespace = 'team', pod = POD, labels = '' }: Of = {},
): Series {
  const own = `namespace="${namespace}",pod="${pod}",component="proxy"${labels === '' ? '' : `,${labels}`}`;
  return [`claude_nexus_${metric}{${own}}`, values];
}

const exchanges = (status: string, values: string) =>
  series('relayed_exchanges_total', values, {
    labels: `domain="other",outcome="completed",status="${status}"`,
  });
const spool = (bytes: number) => [series('spool_bytes', `${bytes}x10`), series('spool_max_bytes', '100x10')];
const credentials = (state: string) => [series('credential_domains', '1x10', { labels: `state="${state}"` })];
const lost = (values: string, of: Of = {}) => [
  series('recorder_lost_exchanges_total', values, { labels: 'reason="spool_full"', ...of }),
];
const failures = (kind: string) => [
  series('recorder_batch_failures_total', '0 1+1x9', { labels: `kind="${kind}"` }),
];

/** Title, alert, what Prometheus has seen, when it is asked, how many alerts fire. */
const CASES: readonly (readonly [string, string, readonly Series[], string, number])[] = [
  ['no proxy is scraped', 'ProxyAbsent', [], '6m', 1],
  [
    'only another gateway has proxies',
    'ProxyAbsent',
    [series('relay_inflight_exchanges', '0x10', { pod: 'other-proxy-5f7c9d-x2x4x' })],
    '6m',
    1,
  ],
  ['a proxy idles', 'ProxyAbsent', [series('relay_inflight_exchanges', '0x10')], '6m', 0],
  [
    'a fifth of the answers are 5xx',
    'UpstreamErrors',
    [exchanges('200', '0+80x20'), exchanges('529', '0+20x20')],
    '16m',
    1,
  ],
  [
    'a twentieth of the answers are 5xx',
    'UpstreamErrors',
    [exchanges('200', '0+95x20'), exchanges('500', '0+5x20')],
    '16m',
    0,
  ],
  [
    'clients make errors',
    'UpstreamErrors',
    [exchanges('200', '0+50x20'), exchanges('400', '0+50x20')],
    '16m',
    0,
  ],
  ['the database is away', 'DatabaseUnreachable', failures('outage'), '4m', 1],
  ['a batch passes the second time', 'DatabaseUnreachable', failures('retry'), '4m', 0],
  ['an exchange waits long', 'RecordingBehind', [series('recorder_lag_seconds', '400x10')], '6m', 1],
  [
    'an exchange waited for a moment',
    'RecordingBehind',
    [series('recorder_lag_seconds', '0 400 400 0x10')],
    '6m',
    0,
  ],
  ['an exchange is lost', 'ExchangesLost', lost('0 0 1x10'), '3m', 1],
  ['an exchange was lost long ago', 'ExchangesLost', lost('0 1x60'), '30m', 0],
  ['another gateway loses an exchange', 'ExchangesLost', lost('0 0 1x10', { namespace: 'other' }), '3m', 0],
  [
    'two pods lose exchanges',
    'ExchangesLost',
    [...lost('0 0 1x10'), ...lost('0 0 9x10', { pod: 'gateway-proxy-5f7c9d-aaaaa' })],
    '3m',
    2,
  ],
  [
    'a record is put aside',
    'RecordsQuarantined',
    [series('recorder_quarantined_records_total', '0 0 1x10')],
    '5m',
    1,
  ],
  ['none is', 'RecordsQuarantined', [series('recorder_quarantined_records_total', '3x10')], '5m', 0],
  ['a spool is more than half full', 'SpoolFilling', spool(51), '6m', 1],
  ['a spool has room', 'SpoolFilling', spool(49), '6m', 0],
  ['a spool is full', 'SpoolFull', [series('spool_full', '0 1x10')], '1m', 1],
  ['a spool is not full', 'SpoolFull', [series('spool_full', '0x10')], '1m', 0],
  ['a spool cannot be written', 'SpoolFailing', [series('spool_failing', '1x10')], '2m', 1],
  ['a write failed once', 'SpoolFailing', [series('spool_failing', '1 0x10')], '2m', 0],
  ['a credential is stale', 'CredentialStale', credentials('stale'), '6m', 1],
  ['credentials are current', 'CredentialStale', credentials('current'), '6m', 0],
  ['a credential is unusable', 'CredentialUnusable', credentials('unusable'), '2m', 1],
  ['credentials are only stale', 'CredentialUnusable', credentials('stale'), '2m', 0],
  [
    'a bad credential is met',
    'CredentialReloadFailing',
    [series('credential_reload_failures_total', '0 0 1x10')],
    '3m',
    1,
  ],
  ['none is met', 'CredentialReloadFailing', [series('credential_reload_failures_total', '4x10')], '3m', 0],
];

const missing = await lacking('promtool');

describe('the alerts of a gateway', () => {
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing);
  });

  it('are rules that Prometheus takes', async () => {
    expect(await checkRules(GROUPS)).toBe('');
  });

  it.for(CASES)('when %s: %s', async ([, name, seen, at, firing]) => {
    const tried: Case = { alert: `ClaudeNexus${name}`, series: seen, at, firing };
    expect(await tryAlert(GROUPS, tried)).toBe('');
  });

  it.each(GROUPS[0]?.rules ?? [])('$alert is seen both to fire and not to', ({ alert }) => {
    const fired = CASES.filter(([, name]) => `ClaudeNexus${name}` === alert).map(
      ([, , , , firing]) => firing > 0,
    );
    expect(new Set(fired)).toEqual(new Set([true, false]));
  });
});
