/** What was seen during one step. */
export interface Step {
  readonly step: string;
  readonly seconds: number;
  /** Fewest streams that were open at a time. */
  readonly streams: number;
  /** Requests that ended. */
  readonly requests: number;
  /** Attempts that the SDK repeated by itself. */
  readonly retries: number;
  readonly failed: number;
  readonly lost: number;
}

const COLUMNS = ['step', 'seconds', 'streams', 'requests', 'retries', 'failed', 'lost'] as const;

/** Steps as a table for people. */
export class StepTable {
  readonly #steps: Step[] = [];
  readonly #notes: string[] = [];

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Something that is no step. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** @returns lines, the first with the names of the columns, the last the notes */
  print(): string {
    const rows = [[...COLUMNS], ...this.#steps.map((step) => COLUMNS.map((column) => cell(step[column])))];
    const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
    const line = (row: readonly string[]): string =>
      row
        .map((text, index) => (index === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[index] ?? 0)))
        .join('  ');
    return `${[...rows.map(line), ...this.#notes].join('\n')}\n`;
  }
}

function cell(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value)) : value;
}
