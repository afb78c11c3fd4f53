import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { summaryLines } from './test/results.ts';
import { runStep, STEPS } from './test/steps.ts';
import type { StepResult } from './test/results.ts';
import type { Step } from './test/steps.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The steps that `--only a,b` names; all without it. @returns undefined after saying what is wrong */
function selectedSteps(): readonly Step[] | undefined {
  const names = STEPS.map((step) => step.name);
  try {
    const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
    const wanted = values.only?.flatMap((list) => list.split(',')) ?? names;
    const unknown = wanted.filter((name) => !names.includes(name));
    if (unknown.length === 0) return STEPS.filter((step) => wanted.includes(step.name));
    console.error(`unknown step ${unknown.join(', ')}; known are ${names.join(', ')}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; use --only ${names.join(',')}`);
  }
  return undefined;
}

async function main(): Promise<void> {
  const steps = selectedSteps();
  if (!steps) {
    process.exitCode = 2;
    return;
  }
  const results: StepResult[] = [];
  for (const [index, step] of steps.entries()) {
    console.log(`\n[${index + 1}/${steps.length}] ${step.name}: ${step.what}`);
    const started = Date.now();
    const result = await runStep(step, root);
    results.push(result);
    const outcome = result.failures.length === 0 ? 'ok' : 'FAILED';
    console.log(`${step.name}: ${outcome} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  console.log('');
  for (const line of summaryLines(results)) console.log(line);
  process.exitCode = results.some((result) => result.failures.length > 0) ? 1 : 0;
}

await main();
