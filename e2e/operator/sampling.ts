import { Random } from '../fixtures/random.ts';

/** OPERATOR_TESTS=full runs everything of what is otherwise a sample. */
export const IS_FULL = process.env['OPERATOR_TESTS'] === 'full';

/** OPERATOR_SEED chooses other samples; they say which seed they are of. */
export const SEED = Number(process.env['OPERATOR_SEED'] ?? 1);

/** All items in a full run, else `count` of them, the same ones for the same seed. */
export function sampleOf<T>(items: readonly T[], count: number): readonly T[] {
  if (IS_FULL) return items;
  const random = new Random(SEED);
  const left = [...items];
  return Array.from({ length: Math.min(count, items.length) }, () =>
    left.splice(random.below(left.length), 1),
  ).flat();
}
