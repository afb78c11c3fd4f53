import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { claudeNexus } from '../testing/claude-nexus.ts';
import { alerts } from './alerts.ts';

/** Where the proxy declares what it counts. */
const SOURCES = [
  'packages/recording/src/recorder-metrics.ts',
  'packages/recording/src/pipeline/batch-metrics.ts',
  'services/proxy/src/metrics.ts',
]
  .map((file) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'))
  .join('\n');

const RUNBOOK = 'https://runbooks.example/alerts';
const rules = alerts(claudeNexus({ name: 'team.gateway' }), RUNBOOK);
const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

describe.each(rules)('the alert $alert', ({ expr, labels, annotations, ...rule }) => {
  it('asks for metrics that the proxy has', () => {
    const names = [...expr.matchAll(/claude_nexus_([a-z_]+)/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !new RegExp(`'${name}'|\\b${name}: \\{`).test(SOURCES))).toEqual([]);
  });

  it('looks at the proxy pods of its own gateway only', () => {
    for (const [, selector] of expr.matchAll(/claude_nexus_[a-z_]+\{([^}]*)\}/g)) {
      expect(selector).toContain('namespace="team",pod=~"team[.]gateway-proxy-[a-z0-9]+-[a-z0-9]+"');
    }
    expect(expr).not.toMatch(/claude_nexus_[a-z_]+[^a-z_{]/);
  });

  it('says how bad it is, since when, and what it means', () => {
    expect(labels.severity).toMatch(/^(warning|critical)$/);
    expect(rule.for).toMatch(/^\d+m$/);
    expect(annotations.summary).toMatch(/^[A-Z].*[a-z]$/);
    expect(annotations.description).toMatch(/\.$/);
  });
});

it.each(rules)('$alert leads to its section of docs/operations.md', ({ alert, annotations }) => {
  expect(annotations.runbook_url).toBe(`${RUNBOOK}#${alert.toLowerCase()}`);
  expect(operations).toContain(`\n### ${alert}\n`);
});

it('names every alert once', () => {
  const names = rules.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
});
