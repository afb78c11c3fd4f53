import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { SegmentProgress } from './acknowledgements.ts';
import { JournalError } from './errors.ts';
import type { SegmentFile } from './segment-files.ts';

/** Anything that may need the bytes of a segment. */
export type SegmentUser = object;

const NOTHING_EARLIER = { readTo: 0, begins: new Set<number>() };

interface Need {
  /** Offset of its first record. */
  first: number;
  /** Sum of its records. */
  bytes: number;
}

/** One segment as the reader sees it: its bytes, how far it was read, and who still needs which part of it. */
export class SegmentSource {
  readonly number: number;
  readonly seed: number;
  readonly #spoolDir: string;
  #name: string;
  #generation: number;
  /** Everything before this offset has been read. */
  readTo: number;
  /** Read to its end, and nothing more will be written to it. */
  finished = false;
  /** Its file is gone although somebody needed it. */
  missing = false;
  /** What each user needs; insertion order is offset order. */
  readonly #users = new Map<SegmentUser, Need>();
  /** Offsets of the users' begin records, where they stand in this segment. */
  readonly #begins = new Map<SegmentUser, number>();
  /** Sizes of records of request bodies that were found to be whole, by offset. */
  readonly #wholeSlices = new Map<number, number>();
  /** What an earlier reader had done with the segment. */
  #earlier: { readTo: number; begins: ReadonlySet<number> };
  #fd: number | undefined;

  constructor(spoolDir: string, file: SegmentFile, progress: SegmentProgress | undefined) {
    this.number = file.number;
    this.seed = file.seed;
    this.#spoolDir = spoolDir;
    this.#name = file.name;
    this.#generation = file.generation;
    this.readTo = progress?.acknowledged ?? 0;
    this.#earlier = { readTo: progress?.readTo ?? 0, begins: new Set(progress?.begins) };
  }

  /** Bytes in the file at this moment; 0 when it is gone. */
  size(): number {
    try {
      return fstatSync(this.#descriptor()).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(this.path, error);
      this.missing = true;
      return 0;
    }
  }

  /** Fills `target` from `at` on with `length` bytes of the segment; returns how many there were. */
  read(target: Buffer, at: number, length: number, position: number): number {
    let done = 0;
    try {
      while (done < length) {
        const count = readSync(this.#descriptor(), target, at + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw unreadable(this.path, error);
    }
    return done;
  }

  /** Notes that `user` needs the record of `bytes` at `offset`. */
  need(user: SegmentUser, offset: number, bytes: number): void {
    const known = this.#users.get(user);
    if (known === undefined) this.#users.set(user, { first: offset, bytes });
    else known.bytes += bytes;
  }

  /** The same for the begin record of an exchange. */
  needBegin(user: SegmentUser, offset: number, bytes: number): void {
    this.need(user, offset, bytes);
    this.#begins.set(user, offset);
  }

  /** Notes that a record was found to be whole. */
  noteWholeSlice(offset: number, bytes: number): void {
    this.#wholeSlices.set(offset, bytes);
  }

  /** Size of the record at `offset`, if it is noted. */
  wholeSlice(offset: number): number | undefined {
    return this.#wholeSlices.get(offset);
  }

  release(user: SegmentUser): void {
    this.#users.delete(user);
    this.#begins.delete(user);
  }

  /** True: the exchange that begins at `offset` was acknowledged before this reader started. */
  wasAcknowledged(offset: number): boolean {
    return offset < this.#earlier.readTo && !this.#earlier.begins.has(offset);
  }

  get needed(): boolean {
    return this.#users.size > 0;
  }

  /** Bytes of the records somebody needs. */
  neededBytes(): number {
    let bytes = 0;
    for (const need of this.#users.values()) bytes += need.bytes;
    return bytes;
  }

  users(): SegmentUser[] {
    return [...this.#users.keys()];
  }

  get name(): string {
    return this.#name;
  }

  get generation(): number {
    return this.#generation;
  }

  get path(): string {
    return join(this.#spoolDir, this.#name);
  }

  /** The needed records now stand in another file, each at `moved(its old offset)`. */
  switchTo(
    file: { name: string; generation: number; size: number },
    moved: (offset: number) => number,
  ): void {
    this.close();
    this.#name = file.name;
    this.#generation = file.generation;
    this.readTo = file.size;
    for (const need of this.#users.values()) need.first = moved(need.first);
    for (const [user, offset] of this.#begins) this.#begins.set(user, moved(offset));
    this.#wholeSlices.clear();
    this.#earlier = NOTHING_EARLIER;
  }

  progress(): SegmentProgress {
    // What an earlier reader had read and this one has not reached yet stays as that one left it.
    const ahead = [...this.#earlier.begins].filter((offset) => offset >= this.readTo);
    return {
      acknowledged: this.#lowestNeeded(),
      readTo: Math.max(this.readTo, this.#earlier.readTo),
      begins: [...this.#begins.values(), ...ahead],
    };
  }

  /** A reader that starts again starts there. */
  #lowestNeeded(): number {
    for (const { first } of this.#users.values()) return first;
    return this.readTo;
  }

  /** Deletes the file and returns how many bytes that freed. */
  remove(): number {
    const bytes = this.size();
    this.close();
    rmSync(this.path, { force: true });
    return bytes;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #descriptor(): number {
    this.#fd ??= openSync(this.path, 'r');
    return this.#fd;
  }
}

function unreadable(path: string, error: unknown): JournalError {
  const detail = error instanceof Error ? error.message : String(error);
  return new JournalError(`segment ${path} cannot be read: ${detail}`, { cause: error });
}
