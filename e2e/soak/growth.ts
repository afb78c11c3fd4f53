import type { Sample } from './soak-site.ts';

const MIB = 2 ** 20;

/** What is looked at, in what unit, and how much more of it there may be at the end. */
interface Measure {
  readonly name: keyof Omit<Sample, 'service'>;
  readonly unit: 'MiB' | '';
  /** The larger of a share of the earlier figure and an amount. */
  readonly bound: { readonly share: number; readonly amount: number };
}

/**
 * Heap and buffers are read after a garbage collection and must stay where they are but for caches that are still
 * filling; resident memory depends on the allocator, too. Things that are open come back to the same number whenever
 * nothing is going on.
 */
const MEASURES: readonly Measure[] = [
  { name: 'heap', unit: 'MiB', bound: { share: 0.1, amount: 6 * MIB } },
  { name: 'buffers', unit: 'MiB', bound: { share: 0.1, amount: 8 * MIB } },
  { name: 'workerHeap', unit: 'MiB', bound: { share: 0.1, amount: 6 * MIB } },
  { name: 'workerBuffers', unit: 'MiB', bound: { share: 0.1, amount: 8 * MIB } },
  { name: 'resident', unit: 'MiB', bound: { share: 0.1, amount: 40 * MIB } },
  { name: 'descriptors', unit: '', bound: { share: 0, amount: 8 } },
  { name: 'resources', unit: '', bound: { share: 0, amount: 8 } },
  { name: 'listeners', unit: '', bound: { share: 0, amount: 40 } },
];

/** One line of the result. */
export interface Growth {
  readonly service: string;
  readonly measure: Measure;
  readonly first: number;
  /** Median of the second third of the samples; the first third is warming up. */
  readonly middle: number;
  /** Median of the last third. */
  readonly last: number;
  readonly allowed: number;
  readonly grown: boolean;
}

/** What has become more between the second and the last third of the samples, oldest first, of one service. */
export function growthOf(samples: readonly Sample[]): Growth[] {
  return MEASURES.flatMap((measure) => {
    const values = samples.map((sample) => sample[measure.name]).filter((value) => value !== undefined);
    if (values.length === 0) return [];
    const third = Math.max(1, Math.floor(values.length / 3));
    const middle = median(values.slice(-2 * third, -third));
    const last = median(values.slice(-third));
    const allowed = Math.max(measure.bound.share * middle, measure.bound.amount);
    const [first = 0] = values;
    const service = samples[0]?.service ?? '';
    return [{ service, measure, first, middle, last, allowed, grown: last - middle > allowed }];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The result as lines of a table. */
export function tableOf(growths: readonly Growth[]): string[] {
  const head = ['service', 'what', 'first', 'middle', 'last', 'may grow by', ''];
  const rows = growths.map(({ service, measure, first, middle, last, allowed, grown }) => {
    const show = (value: number): string =>
      measure.unit === 'MiB' ? `${(value / MIB).toFixed(1)} MiB` : value.toFixed(0);
    return [
      service,
      measure.name,
      show(first),
      show(middle),
      show(last),
      show(allowed),
      grown ? 'GROWN' : 'flat',
    ];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
