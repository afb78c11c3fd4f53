/** What one step of the test run amounts to; a check counts as one. */
export interface StepResult {
  readonly passed: number;
  /** One line for each failure. */
  readonly failures: readonly string[];
  /** One line for each skipped test, with its reason. */
  readonly skipped: readonly string[];
}

/**
 * The lines that end a run: the failures, the skipped tests with their reasons in one line, and as the last one the
 * counts. Skipped tests are neither passed nor failed.
 */
export function summaryLines(results: readonly StepResult[]): string[] {
  const failures = results.flatMap((result) => result.failures);
  const skipped = results.flatMap((result) => result.skipped);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  return [
    ...failures.map((line) => `FAILED ${line}`),
    skipped.length === 0 ? '0 skipped' : `${skipped.length} skipped: ${skipped.join('; ')}`,
    `${passed} passed, ${failures.length} failed`,
  ];
}
