import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

import type { StepResult } from './results.ts';

/** Name of the environment variable that says where the reporter writes its result. */
export const RESULT_FILE = 'NEXUS_TEST_RESULT_FILE';

/**
 * Writes what a vitest run amounts to, as JSON. Vitest's own JSON leaves out why a test was skipped
 * (`context.skip('reason')`), and counts a file that cannot be loaded as no test at all.
 */
// oxlint-disable-next-line import/no-default-export -- vitest loads reporters by their default export
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.errors().length > 0);
    const result: StepResult = {
      passed: inState('passed').length,
      failures: [
        ...inState('failed').map(nameOf),
        ...broken.map(
          (module) => `${module.relativeModuleId}: ${module.errors()[0]?.message ?? 'cannot be run'}`,
        ),
        ...errors.map((error) => `outside of a test: ${error.message}`),
      ],
      skipped: inState('skipped').map((test) => `${nameOf(test)} (${reasonOf(test)})`),
    };
    const file = process.env[RESULT_FILE];
    if (file) writeFileSync(file, JSON.stringify(result));
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId}: ${test.fullName}`;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || 'no reason given';
}
