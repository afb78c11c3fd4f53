/** Writes rows as columns: the first left-aligned, the others right-aligned. */
export function printTable(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  process.stdout.write(`\n${title}\n${lines.join('\n')}\n`);
}

/** A figure with so many decimals; `-` where there is none. */
export function cell(value: number | undefined, decimals = 0): string {
  return value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(decimals);
}

/** `value` as a multiple of `base`; `-` where either is missing or there is nothing to compare with. */
export function ratio(value: number | undefined, base: number | undefined): string {
  return value === undefined || base === undefined || base <= 0 ? '-' : `${(value / base).toFixed(2)}x`;
}
