import { CHOSEN, quantiles, rate } from './grafana.ts';
import type { Dashboard } from './grafana.ts';
import { PROCESS_ROW } from './process-row.ts';

const EXCHANGES = 'claude_nexus_relayed_exchanges_total';
const SERVER_ERRORS = `(sum(${rate(EXCHANGES, 'status=~"5.."')}) or vector(0))`;

/** What clients see. */
export const TRAFFIC: Dashboard = {
  name: 'traffic',
  title: 'Traffic and latency',
  anchors: ['claude_nexus_relay_inflight_exchanges'],
  rows: [
    [
      {
        title: 'Requests',
        unit: 'reqps',
        single: true,
        queries: [{ expr: `sum(${rate(EXCHANGES)})`, legend: '' }],
      },
      {
        title: 'Share with status 5xx',
        unit: 'percentunit',
        single: true,
        queries: [{ expr: `${SERVER_ERRORS} / sum(${rate(EXCHANGES)})`, legend: '' }],
      },
      {
        title: 'In progress',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(claude_nexus_relay_inflight_exchanges{${CHOSEN}})`, legend: '' }],
      },
      {
        title: 'Proxies',
        unit: 'short',
        single: true,
        queries: [{ expr: `count(claude_nexus_relay_inflight_exchanges{${CHOSEN}})`, legend: '' }],
      },
    ],
    [
      {
        title: 'Requests by status',
        description: 'none: the client left before the answer began.',
        unit: 'reqps',
        queries: [{ expr: `sum by (status) (${rate(EXCHANGES)})`, legend: '{{status}}' }],
      },
      {
        title: 'Requests by outcome',
        unit: 'reqps',
        queries: [{ expr: `sum by (outcome) (${rate(EXCHANGES)})`, legend: '{{outcome}}' }],
      },
    ],
    [
      {
        title: 'Time to the head of the answer',
        description: 'Most of it is the upstream.',
        unit: 's',
        queries: quantiles('claude_nexus_relay_first_byte_seconds'),
      },
      { title: 'Time to the end', unit: 's', queries: quantiles('claude_nexus_relay_duration_seconds') },
    ],
    [
      {
        title: 'Requests by domain',
        description: 'other: hosts without a credential of their own.',
        unit: 'reqps',
        queries: [{ expr: `sum by (domain) (${rate(EXCHANGES)})`, legend: '{{domain}}' }],
      },
      {
        title: 'In progress by proxy',
        unit: 'short',
        queries: [{ expr: `claude_nexus_relay_inflight_exchanges{${CHOSEN}}`, legend: '{{pod}}' }],
      },
    ],
    [
      {
        title: 'Refused by the proxy',
        description: 'No access, malformed, draining or out of memory for uploads.',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (status, error_type) (${rate('claude_nexus_relay_refusals_total')})`,
            legend: '{{status}} {{error_type}}',
          },
        ],
      },
      {
        title: 'Bodies',
        unit: 'Bps',
        queries: [
          {
            expr: `sum by (direction) (${rate('claude_nexus_relayed_bytes_total')})`,
            legend: '{{direction}}',
          },
        ],
      },
      {
        title: 'Answered by the proxy itself',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (route, status) (${rate('claude_nexus_local_answers_total')})`,
            legend: '{{route}} {{status}}',
          },
        ],
      },
      {
        title: 'Domains by state of their credential',
        unit: 'short',
        queries: [
          { expr: `max by (state) (claude_nexus_credential_domains{${CHOSEN}})`, legend: '{{state}}' },
          {
            expr: `sum(${rate('claude_nexus_credential_reload_failures_total')})`,
            legend: 'failed reloads per second',
          },
        ],
      },
    ],
    PROCESS_ROW,
  ],
};
