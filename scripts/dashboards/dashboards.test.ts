import { describe, expect, it } from 'vitest';

import { DASHBOARDS } from './dashboards.ts';
import { grafanaDashboard } from './grafana.ts';

interface Placed {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

const overlap = (one: Placed['gridPos'], other: Placed['gridPos']): boolean =>
  one.x < other.x + other.w &&
  other.x < one.x + one.w &&
  one.y < other.y + other.h &&
  other.y < one.y + one.h;

describe.each(DASHBOARDS)('the dashboard $name', (dashboard) => {
  const panels = grafanaDashboard(dashboard)['panels'] as Placed[];

  it('has panels that are told apart', () => {
    for (const values of [panels.map(({ id }) => id), panels.map(({ title }) => title)]) {
      expect(new Set<unknown>(values).size).toBe(panels.length);
    }
    for (const { targets } of panels) {
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it('has panels within its width that do not cover each other', () => {
    for (const [index, { gridPos }] of panels.entries()) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(panels.slice(index + 1).filter((other) => overlap(gridPos, other.gridPos))).toEqual([]);
    }
  });

  it('asks for nothing beyond what the viewer has chosen', () => {
    for (const { expr } of panels.flatMap(({ targets }) => targets)) {
      const selectors = [...expr.matchAll(/[a-z_]+\{([^}]*)\}/g)].map(([, selector]) => selector);
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of selectors) expect(selector).toContain('namespace=~"$namespace",job=~"$job"');
    }
  });
});

it('tells dashboards apart', () => {
  expect(new Set(DASHBOARDS.map(({ name }) => name)).size).toBe(DASHBOARDS.length);
});
