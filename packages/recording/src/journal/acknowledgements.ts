import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'acknowledged.json';

/** What was done with a segment when the file was written. */
export interface SegmentProgress {
  /** Nothing before this offset is needed any more. */
  acknowledged: number;
  /** Everything before this offset had been read. */
  readTo: number;
  /** Offsets of the begin records, read by then, of exchanges that were not acknowledged; every other one was. */
  begins: readonly number[];
}

/**
 * Progress by segment name. The file may lag behind what is committed, because what is read again changes nothing
 * downstream; an unreadable file therefore only costs work. It must not lag behind the deletion of a segment: an
 * exchange would be read again without the records that were in there.
 */
export function loadProgress(spoolDir: string): Map<string, SegmentProgress> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(spoolDir, FILE), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return new Map();
    return new Map(Object.entries(parsed).filter((entry) => isProgress(entry[1])));
  } catch {
    return new Map();
  }
}

/** Replaces the file in one step. @throws the file system's error */
export function saveProgress(spoolDir: string, progress: ReadonlyMap<string, SegmentProgress>): void {
  const draft = join(spoolDir, `${FILE}.tmp`);
  writeFileSync(draft, JSON.stringify(Object.fromEntries(progress)), { mode: 0o600 });
  renameSync(draft, join(spoolDir, FILE));
}

function isProgress(value: unknown): value is SegmentProgress {
  if (typeof value !== 'object' || value === null) return false;
  const { acknowledged, readTo, begins } = value as Partial<SegmentProgress>;
  return isOffset(acknowledged) && isOffset(readTo) && Array.isArray(begins) && begins.every(isOffset);
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
