/** Units of Grafana that the panels use. */
type Unit = 'bytes' | 'Bps' | 'currencyUSD' | 'none' | 'percentunit' | 'reqps' | 's' | 'short';

interface Query {
  readonly expr: string;
  /** Name of a line; labels stand in double braces. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it means that the value is high, where the title does not say it. */
  readonly description?: string;
  readonly unit: Unit;
  /** One number instead of lines over time. */
  readonly single?: true;
  readonly queries: readonly Query[];
}

export interface Dashboard {
  /** Name of its file, and end of its address in Grafana. */
  readonly name: string;
  readonly title: string;
  /** Metrics by whose labels namespaces and jobs are found. */
  readonly anchors: readonly string[];
  /** From top to bottom; the panels of a row share its width. */
  readonly rows: readonly (readonly Panel[])[];
}

/** Narrows every query to what the viewer has chosen. */
export const CHOSEN = 'namespace=~"$namespace",job=~"$job"';

const WIDTH = 24;
const SINGLE_HEIGHT = 4;
const LINES_HEIGHT = 8;
const SCHEMA_VERSION = 39;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Part of a second's worth of a counter. @param labels beside the viewer's choice */
export function rate(metric: string, labels = ''): string {
  return `rate(${metric}{${CHOSEN}${labels === '' ? '' : `,${labels}`}}[$__rate_interval])`;
}

/** What a counter gained in the time the viewer looks at. */
export function gained(metric: string, labels = ''): string {
  return `increase(${metric}{${CHOSEN}${labels === '' ? '' : `,${labels}`}}[$__range])`;
}

/** One line for each of three quantiles of a histogram. */
export function quantiles(histogram: string): readonly Query[] {
  return [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (${rate(`${histogram}_bucket`)}))`,
    legend: `p${quantile * 100}`,
  }));
}

/** What Grafana imports. */
export function grafanaDashboard({ name, title, anchors, rows }: Dashboard): Record<string, unknown> {
  const named = `__name__=~"${anchors.join('|')}"`;
  return {
    uid: `claude-nexus-${name}`,
    title: `ClaudeNexus / ${title}`,
    tags: ['claude-nexus'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        // Outside Kubernetes there is no such label.
        { ...variable('namespace', `label_values({${named}}, namespace)`), allValue: '.*' },
        variable('job', `label_values({${named},namespace=~"$namespace"}, job)`),
      ],
    },
    panels: placed(rows),
  };
}

function variable(name: string, query: string): Record<string, unknown> {
  return {
    name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    current: { text: 'All', value: '$__all' },
  };
}

function placed(rows: Dashboard['rows']): Record<string, unknown>[] {
  const panels: Record<string, unknown>[] = [];
  let y = 0;
  for (const row of rows) {
    const w = Math.floor(WIDTH / row.length);
    const h = row.every(({ single }) => single) ? SINGLE_HEIGHT : LINES_HEIGHT;
    for (const [column, panel] of row.entries()) {
      const gridPos = { x: column * w, y, w, h };
      panels.push({ id: panels.length + 1, gridPos, ...grafanaPanel(panel) });
    }
    y += h;
  }
  return panels;
}

function grafanaPanel({ title, description, unit, single, queries }: Panel): Record<string, unknown> {
  return {
    type: single ? 'stat' : 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: single
      ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'none' }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint('A'.codePointAt(0)! + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      // The number of a single value holds for the end of the time.
      ...(single ? { instant: true, range: false } : {}),
    })),
  };
}
