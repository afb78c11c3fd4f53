import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { JournalError } from './errors.ts';
import type { SegmentFile } from './segment-files.ts';

/** Anything that may need the bytes of a segment. */
export type SegmentUser = object;

/** One segment as the reader sees it: its bytes, how far it was read, and who still needs which part of it. */
export class SegmentSource {
  readonly number: number;
  readonly seed: number;
  readonly name: string;
  readonly generation: number;
  readonly path: string;
  /** Everything before this offset has been read. */
  readTo: number;
  /** Read to its end, and nothing more will be written to it. */
  finished = false;
  /** Its file is gone although somebody needed it. */
  missing = false;
  /** First offset each user needs; insertion order is offset order. */
  readonly #users = new Map<SegmentUser, number>();
  #fd: number | undefined;

  constructor(spoolDir: string, file: SegmentFile, acknowledged: number) {
    this.number = file.number;
    this.seed = file.seed;
    this.name = file.name;
    this.generation = file.generation;
    this.path = join(spoolDir, file.name);
    this.readTo = acknowledged;
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

  /** Notes that `user` needs the bytes from `offset` on. */
  need(user: SegmentUser, offset: number): void {
    if (!this.#users.has(user)) this.#users.set(user, offset);
  }

  release(user: SegmentUser): void {
    this.#users.delete(user);
  }

  get needed(): boolean {
    return this.#users.size > 0;
  }

  users(): IterableIterator<SegmentUser> {
    return this.#users.keys();
  }

  /** Lowest offset still needed: a reader that starts again starts there. */
  acknowledged(): number {
    for (const offset of this.#users.values()) return offset;
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
