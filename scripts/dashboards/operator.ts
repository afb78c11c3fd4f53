import { CHOSEN, quantiles, rate } from './grafana.ts';
import type { Dashboard } from './grafana.ts';
import { PROCESS_ROW } from './process-row.ts';

const READY = `claudenexus_operator_resource_ready{${CHOSEN}}`;
const none = (expr: string): string => `(${expr} or vector(0))`;

/** Whether what is declared is what runs. */
export const OPERATOR: Dashboard = {
  name: 'operator',
  title: 'Operator',
  anchors: ['controller_runtime_max_concurrent_reconciles'],
  rows: [
    [
      {
        title: 'Gateways that are not ready',
        unit: 'short',
        single: true,
        queries: [{ expr: none(`count(max by (resource) (${READY}) == 0)`), legend: '' }],
      },
      {
        title: 'Gateways',
        unit: 'short',
        single: true,
        queries: [{ expr: none(`count(max by (resource) (${READY}))`), legend: '' }],
      },
      {
        title: 'Operators that lead',
        description: 'One, unless leader election is off.',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(leader_election_master_status{${CHOSEN}})`, legend: '' }],
      },
      {
        title: 'Silence of the API server',
        unit: 's',
        single: true,
        queries: [{ expr: `max(claudenexus_operator_reflector_contact_age_seconds{${CHOSEN}})`, legend: '' }],
      },
    ],
    [
      {
        title: 'Ready',
        unit: 'none',
        queries: [{ expr: `max by (resource) (${READY})`, legend: '{{resource}}' }],
      },
      {
        title: 'Reconciles by result',
        unit: 'reqps',
        queries: [
          { expr: `sum by (result) (${rate('controller_runtime_reconcile_total')})`, legend: '{{result}}' },
          { expr: none(`sum(${rate('controller_runtime_reconcile_errors_total')})`), legend: 'failed' },
        ],
      },
      {
        title: 'Time of a reconcile',
        unit: 's',
        queries: quantiles('controller_runtime_reconcile_time_seconds'),
      },
    ],
    [
      {
        title: 'Queue',
        unit: 'short',
        queries: [
          { expr: `sum(workqueue_depth{${CHOSEN}})`, legend: 'waiting' },
          { expr: `sum(controller_runtime_active_workers{${CHOSEN}})`, legend: 'in progress' },
          { expr: none(`sum(${rate('workqueue_retries_total')})`), legend: 'tried again per second' },
        ],
      },
      {
        title: 'Longest reconcile in progress',
        unit: 's',
        queries: [{ expr: `workqueue_longest_running_processor_seconds{${CHOSEN}}`, legend: '{{pod}}' }],
      },
      {
        title: 'Time in the queue',
        unit: 's',
        queries: quantiles('workqueue_queue_duration_seconds'),
      },
    ],
    [
      {
        title: 'Requests to the API server',
        unit: 'reqps',
        queries: [
          {
            expr: `sum by (method, code) (${rate('rest_client_requests_total')})`,
            legend: '{{method}} {{code}}',
          },
        ],
      },
      {
        title: 'Time of a request',
        unit: 's',
        queries: quantiles('rest_client_request_duration_seconds'),
      },
      {
        title: 'Watches',
        description: 'A change that no event told of was found by a list.',
        unit: 'short',
        queries: [
          { expr: `sum(${rate('reflector_watches_total')})`, legend: 'begun' },
          { expr: `sum(${rate('reflector_lists_total')})`, legend: 'lists' },
          { expr: none(`sum(${rate('claudenexus_operator_reflector_failures_total')})`), legend: 'failed' },
          {
            expr: none(`sum(${rate('claudenexus_operator_reflector_missed_events_total')})`),
            legend: 'changes no event told of',
          },
        ],
      },
    ],
    PROCESS_ROW,
  ],
};
