import { gained, rate } from './grafana.ts';
import type { Dashboard } from './grafana.ts';

const TOKENS = 'claude_nexus_tokens_total';
const COST = 'claude_nexus_cost_usd_total';
const EXCHANGES = 'claude_nexus_exchanges_total';
const SECONDS_PER_HOUR = 3600;

/** What it costs. Counted when an exchange reaches the database. */
export const USAGE: Dashboard = {
  name: 'usage',
  title: 'Tokens and cost',
  anchors: ['claude_nexus_relay_inflight_exchanges'],
  rows: [
    [
      {
        title: 'Cost',
        description: 'In the time shown, of exchanges whose price is known.',
        unit: 'currencyUSD',
        single: true,
        queries: [{ expr: `sum(${gained(COST)})`, legend: '' }],
      },
      {
        title: 'Tokens',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(${gained(TOKENS)})`, legend: '' }],
      },
      {
        title: 'Share of the input read from the cache',
        unit: 'percentunit',
        single: true,
        queries: [
          {
            expr: `(sum(${gained(TOKENS, 'type="cache_read"')}) or vector(0)) / sum(${gained(TOKENS, 'type!="output"')})`,
            legend: '',
          },
        ],
      },
      {
        title: 'Exchanges',
        unit: 'short',
        single: true,
        queries: [{ expr: `sum(${gained(EXCHANGES)})`, legend: '' }],
      },
    ],
    [
      {
        title: 'Cost per hour by model',
        unit: 'currencyUSD',
        queries: [{ expr: `sum by (model) (${rate(COST)}) * ${SECONDS_PER_HOUR}`, legend: '{{model}}' }],
      },
      {
        title: 'Tokens per second by model',
        description: 'unpriced: models without a known price.',
        unit: 'short',
        queries: [{ expr: `sum by (model) (${rate(TOKENS)})`, legend: '{{model}}' }],
      },
    ],
    [
      {
        title: 'Tokens per second by type',
        unit: 'short',
        queries: [{ expr: `sum by (type) (${rate(TOKENS)})`, legend: '{{type}}' }],
      },
      {
        title: 'Cost per exchange',
        unit: 'currencyUSD',
        queries: [{ expr: `sum(${rate(COST)}) / sum(${rate(EXCHANGES)})`, legend: 'mean' }],
      },
    ],
    [
      {
        title: 'Exchanges by kind',
        unit: 'reqps',
        queries: [{ expr: `sum by (kind) (${rate(EXCHANGES)})`, legend: '{{kind}}' }],
      },
      {
        title: 'Exchanges by outcome',
        unit: 'reqps',
        queries: [{ expr: `sum by (outcome) (${rate(EXCHANGES)})`, legend: '{{outcome}}' }],
      },
    ],
  ],
};
