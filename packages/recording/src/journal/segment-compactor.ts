import { closeSync, fdatasyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { selfContained } from './copy-record.ts';
import { recordsUpTo } from './exchange-ranges.ts';
import { ReadExchange } from './read-exchange.ts';
import { segmentName } from './segment-files.ts';
import type { SegmentSource } from './segment-source.ts';

/** A segment is rewritten when less than this share of it is still needed. */
const NEEDED_SHARE = 1 / 4;
/** The youngest segments are left alone: most of their exchanges are about to be acknowledged. */
const LEFT_ALONE = 2;

/** The segments worth rewriting among those that are read and still needed, given in order. */
export function worthCompacting(pinned: readonly SegmentSource[]): SegmentSource[] {
  const old = pinned.slice(0, Math.max(0, pinned.length - LEFT_ALONE));
  return old.filter((source) => source.neededBytes() < source.readTo * NEEDED_SHARE);
}

/** A rewritten segment that is complete on disk but not yet in place. */
export interface CompactedSegment {
  name: string;
  /** Puts it in the place of the old file, which it deletes; returns the bytes this freed. */
  activate(): number;
  discard(): void;
}

/**
 * Writes what is still needed of a segment into a new, shorter one. Without it one long stream, which leaves a few
 * records in every segment, would keep all of them on disk until it ends.
 *
 * @throws the file system's error; then nothing has changed
 */
export function compactSegment(spoolDir: string, source: SegmentSource): CompactedSegment {
  const generation = source.generation + 1;
  const name = segmentName({ number: source.number, seed: source.seed, generation });
  const draft = join(spoolDir, `${name}.tmp`);
  const exchanges = source.users().filter((user) => user instanceof ReadExchange);
  const moves = new Moves();
  try {
    moves.size = copyRecords(source, { draft, keys: new Set(exchanges.map(({ key }) => key)), moves });
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  return {
    name,
    discard: () => rmSync(draft, { force: true }),
    activate: () => {
      const oldPath = source.path;
      const oldSize = source.size();
      // From here on a crash finds two generations and reads the newer one.
      renameSync(draft, join(spoolDir, name));
      const moved = (offset: number) => moves.apply(offset);
      for (const exchange of exchanges) exchange.move(source, moved);
      source.switchTo({ name, generation, size: moves.size }, moved);
      rmSync(oldPath, { force: true });
      return oldSize - moves.size;
    },
  };
}

/** Where each copied record stood and stands. */
class Moves {
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  size = 0;

  add(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
  }

  /** The new place of a byte of a copied record. */
  apply(offset: number): number {
    let low = 0;
    let high = this.#from.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#from[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return offset - (this.#from[low] ?? 0) + (this.#to[low] ?? 0);
  }
}

function copyRecords(
  source: SegmentSource,
  target: { draft: string; keys: ReadonlySet<string>; moves: Moves },
): number {
  const fd = openSync(target.draft, 'w', 0o600);
  let size = 0;
  try {
    for (const { key, bytes, offset } of recordsUpTo(source, source.readTo)) {
      if (!target.keys.has(key)) continue;
      // What it refers to may be left out.
      const record = selfContained(source, bytes);
      for (let written = 0; written < record.length;) written += writeSync(fd, record, written);
      target.moves.add(offset, size);
      size += record.length;
    }
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return size;
}
