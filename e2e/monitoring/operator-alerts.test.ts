import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import { EVERYTHING, setUpHelm } from '../fixtures/helm.ts';
import { lacking } from '../fixtures/prometheus.ts';
import { ROOT } from '../fixtures/program.ts';
import { checkRules, tryAlert } from './promtool.ts';
import type { Values } from '../fixtures/helm.ts';
import type { Series } from './promtool.ts';

interface Group {
  readonly rules: readonly {
    readonly alert: string;
    readonly annotations: { readonly runbook_url: string };
  }[];
}

const OURS = 'namespace="nexus-system",job="nexus-claude-nexus-operator",pod="a"';
const of = (metric: string, values: string, labels = OURS): Series => [`${metric}{${labels}}`, values];
const leader = (values: string, pod = 'a') =>
  of('leader_election_master_status', values, OURS.replace('"a"', `"${pod}"`));
const ready = (resource: string, values: string) =>
  of('claudenexus_operator_resource_ready', values, `${OURS},resource="${resource}"`);

/** Title, alert, what Prometheus has seen, when it is asked, how many alerts fire. */
const CASES: readonly (readonly [string, string, readonly Series[], string, number])[] = [
  ['there is no operator', 'OperatorAbsent', [], '6m', 1],
  ['two operators wait for each other', 'OperatorAbsent', [leader('0x10'), leader('0x10', 'b')], '6m', 1],
  [
    'another release has a leader',
    'OperatorAbsent',
    [of('leader_election_master_status', '1x10', 'namespace="b"')],
    '6m',
    1,
  ],
  ['one of two operators leads', 'OperatorAbsent', [leader('0x10'), leader('1x10', 'b')], '6m', 0],
  ['a new leader is found', 'OperatorAbsent', [leader('1 1 0 0 1x10')], '8m', 0],
  [
    'reconciles keep failing',
    'OperatorFailing',
    [of('controller_runtime_reconcile_errors_total', '0+1x30')],
    '25m',
    1,
  ],
  [
    'a few have failed',
    'OperatorFailing',
    [of('controller_runtime_reconcile_errors_total', '0 1 2 3x30')],
    '25m',
    0,
  ],
  [
    'a reconcile does not end',
    'OperatorStuck',
    [of('workqueue_longest_running_processor_seconds', '0+60x15')],
    '12m',
    1,
  ],
  [
    'a reconcile takes a while',
    'OperatorStuck',
    [of('workqueue_longest_running_processor_seconds', '0 60 120 180 0x10')],
    '12m',
    0,
  ],
  [
    'the API server is silent',
    'OperatorCutOff',
    [of('claudenexus_operator_reflector_contact_age_seconds', '0+60x10')],
    '10m',
    1,
  ],
  [
    'it answers',
    'OperatorCutOff',
    [of('claudenexus_operator_reflector_contact_age_seconds', '300x10')],
    '10m',
    0,
  ],
  [
    'two of three gateways are not ready',
    'NotReady',
    [ready('a/a', '0x20'), ready('a/b', '1x20'), ready('b/a', '0x20')],
    '16m',
    2,
  ],
  ['a gateway becomes ready in time', 'NotReady', [ready('a/a', '0x10 1x20')], '20m', 0],
];

const missing = await lacking('promtool');

describe('the alerts about the operator', () => {
  const helm = setUpHelm();
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing);
  });
  const groupsOf = async (values: Values): Promise<readonly Group[]> => {
    const rule = (await helm.objects(values)).find(({ kind }) => kind === 'PrometheusRule');
    return (rule?.['spec'] as { groups?: readonly Group[] } | undefined)?.groups ?? [];
  };

  it.each([
    ['with leader election', {}],
    ['without', { replicas: 1, leaderElection: { enabled: false } }],
  ])('are rules that Prometheus takes, %s', async (_, values) => {
    expect(await checkRules(await groupsOf({ ...EVERYTHING, ...values }))).toBe('');
  });

  it.for(CASES)('when %s: %s', async ([, name, series, at, firing]) => {
    const groups = await groupsOf(EVERYTHING);
    expect(await tryAlert(groups, { alert: `ClaudeNexus${name}`, series, at, firing })).toBe('');
  });

  it('without leader election miss an operator that is not scraped', async () => {
    const groups = await groupsOf({ ...EVERYTHING, replicas: 1, leaderElection: { enabled: false } });
    const absent = { alert: 'ClaudeNexusOperatorAbsent', at: '6m' };
    expect(await tryAlert(groups, { ...absent, series: [of('up', '0x10')], firing: 1 })).toBe('');
    expect(await tryAlert(groups, { ...absent, series: [of('up', '1x10')], firing: 0 })).toBe('');
  });

  it('are each seen both to fire and not to, and lead to their section of docs/operations.md', async () => {
    const operations = await readFile(path.join(ROOT, 'docs/operations.md'), 'utf8');
    for (const { alert, annotations } of (await groupsOf(EVERYTHING)).flatMap(({ rules }) => rules)) {
      const fired = CASES.filter(([, name]) => `ClaudeNexus${name}` === alert).map(
        ([, , , , firing]) => firing > 0,
      );
      expect({ alert, fired: new Set(fired) }).toEqual({ alert, fired: new Set([true, false]) });
      expect(annotations.runbook_url).toBe(`https://runbooks.example/nexus#${alert.toLowerCase()}`);
      expect(operations).toContain(`\n### ${alert}\n`);
    }
  });
});
