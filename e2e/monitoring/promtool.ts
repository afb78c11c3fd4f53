import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A series and its values a minute apart, in promtool's notation: `0+1x5` is 0 1 2 3 4 5. */
export type Series = readonly [series: string, values: string];

export interface Case {
  readonly alert: string;
  readonly series: readonly Series[];
  /** Such as `10m`. */
  readonly at: string;
  /** How many alerts of that name fire then. */
  readonly firing: number;
}

/** @returns what promtool has to complain about rules of a PrometheusRule; empty when nothing */
export async function checkRules(groups: readonly unknown[]): Promise<string> {
  return withFiles({ 'rules.json': { groups } }, (folder) =>
    promtool(['check', 'rules', path.join(folder, 'rules.json')]),
  );
}

/** @returns what differs from the case, in promtool's words; empty when nothing */
export async function tryAlert(
  groups: readonly unknown[],
  { alert, series, at, firing }: Case,
): Promise<string> {
  const test = {
    rule_files: ['rules.json'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
            eval_time: at,
            exp_samples: firing === 0 ? [] : [{ labels: '{}', value: firing }],
          },
        ],
      },
    ],
  };
  return withFiles({ 'rules.json': { groups }, 'test.json': test }, (folder) =>
    promtool(['test', 'rules', path.join(folder, 'test.json')]),
  );
}

/** JSON is YAML. */
async function withFiles(
  files: Readonly<Record<string, unknown>>,
  use: (folder: string) => Promise<string>,
): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-promtool-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await writeFile(path.join(folder, name), JSON.stringify(content));
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function promtool(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('promtool', args, (error, stdout, stderr) => resolve(error === null ? '' : stdout + stderr));
  });
}
