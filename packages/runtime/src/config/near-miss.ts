/** Up to this length a single changed letter is as likely another word as a mistake (PORT, SORT, POST). */
const SHORT_NAME = 5;
const MEDIUM_NAME = 8;

export interface NearMiss {
  /** The variable that is set. */
  readonly present: string;
  /** The declared name it resembles. */
  readonly declared: string;
}

/**
 * Finds variables that look like a misspelt declared name: another case, a dash for an underscore, or one or two
 * letters added, lost, changed or swapped.
 *
 * @param declared names the program reads; one that ends in `*` stands for a family and is not compared
 * @param present names set in the environment
 */
export function findNearMisses(declared: readonly string[], present: readonly string[]): NearMiss[] {
  const names = declared.filter((name) => !name.endsWith('*'));
  const known = new Set(names);
  return present
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const match = names.find((candidate) => resembles(name, candidate));
      return match === undefined ? [] : [{ present: name, declared: match }];
    });
}

function resembles(present: string, declared: string): boolean {
  const name = present.toUpperCase().replaceAll('-', '_');
  if (name === declared) return true;
  const allowed = declared.length <= SHORT_NAME ? 0 : declared.length <= MEDIUM_NAME ? 1 : 2;
  return Math.abs(name.length - declared.length) <= allowed && editDistance(name, declared) <= allowed;
}

/** Edit distance in which swapping two neighbours counts as one change (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(previous, j) + 1,
        at(row, j - 1) + 1,
        at(previous, j - 1) + change,
        swapped ? at(beforePrevious, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
