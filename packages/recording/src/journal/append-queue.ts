import { join } from 'node:path';

import type { LostReason } from '../types.ts';
import type { JournalControl } from './control.ts';
import { JournalError } from './errors.ts';
import type { JournalFs } from './journal-fs.ts';
import { segmentName } from './segment-files.ts';
import type { Slab } from './slab-pool.ts';

/** Whole records that are written together or not at all. */
export interface AppendEntry {
  buffers: readonly Buffer[];
  bytes: number;
  /** Memory of the buffers, released when the entry has left the queue. */
  slabs: readonly Slab[];
  owner: AppendOwner;
  /** It refers to records of this segment, and means nothing in another. */
  segment?: number | undefined;
}

/** Where the first byte of an entry is. */
export interface EntryPlace {
  segment: number;
  offset: number;
}

/** Learns what became of an entry. */
export interface AppendOwner {
  /** True: what is still queued of this owner need not be written any more. */
  readonly dropped: boolean;
  entryWritten(entry: AppendEntry, place: EntryPlace): void;
  entryFailed(entry: AppendEntry, reason: LostReason): void;
}

export interface AppendQueueOptions {
  fs: JournalFs;
  spoolDir: string;
  seed: number;
  firstSegment: number;
  segmentBytes: number;
  /** Least time between two syncs, in milliseconds. */
  syncIntervalMs: number;
  control: JournalControl;
  /** Called before the owners of the entries. */
  onWritten(bytes: number): void;
  onFailed(reason: LostReason, error: Error): void;
  onSyncFailed(error: Error): void;
  /** An entry left the queue, written, failed or dropped; its buffers are not read any more. Called once for each. */
  onLeft(entry: AppendEntry): void;
}

/** One writev is bounded so that an end record never waits behind much more than this. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

const NOTHING_FITS = 'no space left for a whole record';
const SEGMENT_LEFT = 'the segment it refers to had to be left';

/**
 * Appends entries to segments with exactly one write in flight: what is queued meanwhile goes into the next one
 * (group commit). A partial write is cut off again, so that a segment only ever ends torn when the process dies.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #queue: AppendEntry[] = [];
  /** Index of the first entry of `#queue` that is not taken yet. */
  #head = 0;
  #busy = false;
  #scheduled = false;
  #fd: number | undefined;
  #segment: number;
  /** Good bytes in the current segment. */
  #offset = 0;
  #rotate = false;
  /** Entries in the queue or in flight that refer to the current segment, which goes on until they are written. */
  #bound = 0;
  #unsynced = false;
  #directoryUnsynced = false;
  #syncing = false;
  #closing: Promise<void> = Promise.resolve();
  #syncTimer: NodeJS.Timeout | undefined;
  #idleWaiters: (() => void)[] = [];
  /** Calls of write(2). */
  writes = 0;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
    this.#segment = options.firstSegment;
    options.control.publish({ segment: this.#segment, offset: 0 });
  }

  /** The segment that entries appended now may refer to; undefined when it is to be closed. */
  get referable(): number | undefined {
    return this.#rotate || this.#offset >= this.#options.segmentBytes ? undefined : this.#segment;
  }

  append(entry: AppendEntry): void {
    if (entry.segment !== undefined) this.#bound++;
    this.#queue.push(entry);
    this.#schedule();
  }

  /** Closes the current segment so that the reader may delete it. */
  rotate(): void {
    if (this.#offset === 0) return;
    this.#rotate = true;
    this.#schedule();
  }

  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void> {
    if (!this.#busy && this.#head === this.#queue.length) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Writes what is queued, syncs and closes the segment. */
  async close(): Promise<void> {
    await this.idle();
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#busy = true;
    this.#closeSegment();
    await this.#closing;
  }

  /** Everything one turn of the event loop appends shares a write. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#busy) return;
    const isFull = this.#offset > 0 && !this.#fits(this.#nextBytes());
    if (this.#bound === 0 && (this.#rotate || isFull)) {
      this.#rotate = false;
      this.#closeSegment();
    }
    if (this.#nextBytes() === 0) return this.#wakeIdle();
    this.#busy = true;
    if (this.#fd === undefined) return this.#openSegment();
    return this.#write(this.#fd, this.#takeBatch());
  }

  #continue(): void {
    this.#busy = false;
    this.#pump();
  }

  #wakeIdle(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #fits(bytes: number): boolean {
    return this.#offset + bytes <= this.#options.segmentBytes;
  }

  /** Size of the next entry worth writing; 0 when there is none. */
  #nextBytes(): number {
    for (; this.#head < this.#queue.length; this.#head++) {
      const entry = this.#queue[this.#head] as AppendEntry;
      const isMisplaced = entry.segment !== undefined && entry.segment !== this.#segment;
      if (!entry.owner.dropped && !isMisplaced) return entry.bytes;
      if (entry.owner.dropped) this.#leave(entry);
      else this.#fail([entry], new JournalError(SEGMENT_LEFT));
    }
    this.#queue = [];
    this.#head = 0;
    return 0;
  }

  #takeBatch(): AppendEntry[] {
    const batch: AppendEntry[] = [];
    let bytes = 0;
    for (let next = this.#nextBytes(); next > 0; next = this.#nextBytes()) {
      const full = bytes + next > MAX_BATCH_BYTES || !this.#fits(bytes + next);
      if (full && batch.length > 0) break;
      batch.push(this.#queue[this.#head++] as AppendEntry);
      bytes += next;
    }
    return batch;
  }

  #write(fd: number, batch: readonly AppendEntry[]): void {
    const buffers: Buffer[] = [];
    let bytes = 0;
    for (const entry of batch) {
      for (const buffer of entry.buffers) buffers.push(buffer);
      bytes += entry.bytes;
    }
    this.writes++;
    this.#options.fs.writev(fd, buffers, (error, written) => {
      if (error === null && written === bytes) {
        this.#settleWritten(batch, bytes);
        return this.#continue();
      }
      return this.#settlePartial(batch, error, error === null ? written : 0);
    });
  }

  #settleWritten(batch: readonly AppendEntry[], bytes: number): void {
    const segment = this.#segment;
    let offset = this.#offset;
    this.#offset += bytes;
    this.#options.control.publish({ segment, offset: this.#offset });
    this.#options.onWritten(bytes);
    for (const entry of batch) {
      this.#leave(entry);
      entry.owner.entryWritten(entry, { segment, offset });
      offset += entry.bytes;
    }
    this.#unsynced = true;
    this.#scheduleSync();
  }

  /** Keeps the entries that are whole in the file, cuts the rest off and tries it once more, or gives it up. */
  #settlePartial(batch: readonly AppendEntry[], error: Error | null, written: number): void {
    let whole = 0;
    let bytes = 0;
    while (whole < batch.length && bytes + (batch[whole]?.bytes ?? 0) <= written) {
      bytes += batch[whole]?.bytes ?? 0;
      whole++;
    }
    const rest = batch.slice(whole);
    if (whole > 0) {
      this.#settleWritten(batch.slice(0, whole), bytes);
      // In order, before what was queued since.
      this.#queue.splice(0, this.#head, ...rest);
      this.#head = 0;
    } else {
      this.#fail(rest, error ?? new JournalError(NOTHING_FITS));
    }
    this.#cutOff();
  }

  #fail(entries: readonly AppendEntry[], error: Error): void {
    const reason = reasonOf(error);
    this.#options.onFailed(reason, error);
    for (const entry of entries) {
      this.#leave(entry);
      entry.owner.entryFailed(entry, reason);
    }
  }

  #leave(entry: AppendEntry): void {
    if (entry.segment !== undefined) this.#bound--;
    this.#options.onLeft(entry);
  }

  #cutOff(): void {
    const fd = this.#fd as number;
    this.#options.fs.truncate(fd, this.#offset, (error) => {
      if (error === null) return this.#continue();
      // Nothing may follow the fragment: the reader takes a torn end for the end.
      this.#closeSegment();
      return this.#continue();
    });
  }

  #openSegment(): void {
    const { fs, spoolDir, seed } = this.#options;
    const name = segmentName({ number: this.#segment, seed, generation: 0 });
    fs.create(join(spoolDir, name), (error, fd) => {
      if (error !== null) {
        // The name may be taken by a leftover; the next number is free.
        if (codeOf(error) === 'EEXIST') this.#nextSegment();
        else this.#fail(this.#takeBatch(), error);
        return this.#continue();
      }
      this.#fd = fd;
      this.#directoryUnsynced = true;
      return this.#continue();
    });
  }

  #nextSegment(): void {
    this.#segment++;
    this.#offset = 0;
    this.#options.control.publish({ segment: this.#segment, offset: 0 });
  }

  /** Synced and closed in the background: a sync of a whole segment may take longer than a release may wait. */
  #closeSegment(): void {
    const fd = this.#fd;
    const unsynced = this.#unsynced;
    this.#fd = undefined;
    this.#unsynced = false;
    this.#nextSegment();
    if (fd === undefined) return;
    this.#closing = this.#closing.then(() => this.#syncAndClose(fd, unsynced));
  }

  #syncAndClose(fd: number, unsynced: boolean): Promise<void> {
    const { fs } = this.#options;
    return new Promise((resolve) => {
      const close = () => fs.close(fd, () => this.#syncDirectory(resolve));
      if (!unsynced) return close();
      return fs.sync(fd, (error) => {
        if (error !== null) this.#options.onSyncFailed(error);
        close();
      });
    });
  }

  #syncDirectory(done: () => void): void {
    if (!this.#directoryUnsynced) return done();
    this.#directoryUnsynced = false;
    return this.#options.fs.syncDirectory(this.#options.spoolDir, done);
  }

  #scheduleSync(): void {
    if (this.#syncTimer !== undefined || this.#syncing) return;
    this.#syncTimer = setTimeout(() => this.#sync(), this.#options.syncIntervalMs);
    this.#syncTimer.unref();
  }

  /** In the background: writes and releases go on meanwhile. */
  #sync(): void {
    this.#syncTimer = undefined;
    const fd = this.#fd;
    if (fd === undefined || !this.#unsynced) return;
    this.#unsynced = false;
    this.#syncing = true;
    const done = Promise.withResolvers<void>();
    // The descriptor must not be closed, and its number reused, before this sync is through.
    this.#closing = this.#closing.then(() => done.promise);
    this.#options.fs.sync(fd, (error) => {
      this.#syncing = false;
      if (error !== null) this.#options.onSyncFailed(error);
      this.#syncDirectory(done.resolve);
      if (this.#unsynced) this.#scheduleSync();
    });
  }
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function reasonOf(error: Error): LostReason {
  const code = codeOf(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT' || error.message === NOTHING_FITS;
  return full ? 'disk_full' : 'io_error';
}
