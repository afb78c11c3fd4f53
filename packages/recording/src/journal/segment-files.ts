import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Name of a segment: `<number>-<seed>.<generation>.segment`. The seed of its records stands here and not in the file,
 * where a flipped bit would cost the whole segment. A generation above 0 is a rewritten, shorter segment.
 */
const NAME = /^(\d{10})-([0-9a-f]{8})\.(\d{1,6})\.segment$/;

export interface SegmentFile {
  name: string;
  number: number;
  seed: number;
  generation: number;
  /** Bytes when it was listed. */
  size: number;
}

export function segmentName(segment: { number: number; seed: number; generation: number }): string {
  const number = String(segment.number).padStart(10, '0');
  return `${number}-${segment.seed.toString(16).padStart(8, '0')}.${segment.generation}.segment`;
}

function parseSegmentName(name: string): Omit<SegmentFile, 'size'> | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  return {
    name,
    number: Number(match[1]),
    seed: Number.parseInt(match[2] ?? '', 16),
    generation: Number(match[3]),
  };
}

/** All segments of a spool folder in journal order; of a rewritten one every generation, the newest first. */
export function listSegments(spoolDir: string): SegmentFile[] {
  const found: SegmentFile[] = [];
  for (const name of readdirSync(spoolDir)) {
    const parsed = parseSegmentName(name);
    const size = parsed === undefined ? undefined : sizeOf(join(spoolDir, name));
    if (parsed !== undefined && size !== undefined) found.push({ ...parsed, size });
  }
  return found.toSorted((a, b) => a.number - b.number || b.generation - a.generation);
}

/**
 * Deletes what a crash in the middle of rewriting a segment left behind: drafts and replaced generations. Returns the
 * bytes of the latter.
 */
export function removeLeftovers(spoolDir: string): number {
  for (const name of readdirSync(spoolDir)) {
    if (name.endsWith('.segment.tmp')) rmSync(join(spoolDir, name), { force: true });
  }
  const segments = listSegments(spoolDir);
  const replaced = segments.filter((segment, index) => segments[index - 1]?.number === segment.number);
  for (const { name } of replaced) rmSync(join(spoolDir, name), { force: true });
  return replaced.reduce((sum, { size }) => sum + size, 0);
}

/** undefined: it was deleted meanwhile. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
