import type { LostReason } from '../types.ts';
import type { JournalControl } from './control.ts';

/** Begins stop this share of the limit earlier, so that what has begun can still end. */
const RESERVE_SHARE = 1 / 16;

export interface SpoolBudgetOptions {
  control: JournalControl;
  /** SPOOL_MAX_BYTES. */
  maxBytes: number;
  /** Bytes of the segments found at start. */
  foundBytes: number;
  /** Bound for bytes accepted but not written. */
  maxQueuedBytes: number;
}

/** Decides what may still be written: the limit of the spool, of the memory in front of it, and the disk's state. */
export class SpoolBudget {
  readonly maxBytes: number;
  readonly #control: JournalControl;
  readonly #maxQueuedBytes: number;
  #writtenBytes: number;
  /** Accepted, not yet in a file. */
  queuedBytes = 0;
  #full = false;
  #failing: LostReason | undefined;
  #probe: 'none' | 'allowed' | 'running' = 'none';

  constructor(options: SpoolBudgetOptions) {
    this.maxBytes = options.maxBytes;
    this.#control = options.control;
    this.#maxQueuedBytes = options.maxQueuedBytes;
    this.#writtenBytes = options.foundBytes;
  }

  written(bytes: number): void {
    this.#writtenBytes += bytes;
  }

  /** Bytes on disk, quarantine included. */
  usedBytes(): number {
    return (
      this.#writtenBytes - this.#control.counter('freedBytes') + this.#control.counter('quarantineBytes')
    );
  }

  /** Why the last write failed, until one succeeds again. */
  get failing(): LostReason | undefined {
    return this.#failing;
  }

  writeFailed(reason: LostReason): void {
    this.#failing = reason;
    this.#probe = 'none';
  }

  /** The disk seems usable again: the next exchange may try. */
  allowProbe(): void {
    if (this.#failing !== undefined) this.#probe = 'allowed';
  }

  /**
   * A write passed. True: this ends a failure. A small write that happens to fit on a full disk does not: only one
   * made after the disk was seen to have room.
   */
  writeWorked(): boolean {
    if (this.#probe !== 'running') return false;
    this.#failing = undefined;
    this.#probe = 'none';
    return true;
  }

  /** Full is left at a lower mark than it is entered, so that it does not flutter around an exchange that just fits. */
  isFull(): boolean {
    const reserves = this.#full ? 2 : 1;
    this.#full = this.usedBytes() + this.queuedBytes >= this.maxBytes * (1 - reserves * RESERVE_SHARE);
    return this.#full;
  }

  /** May an exchange begin? undefined: yes. While writing fails, yes is said once per probe. */
  refuseBegin(): LostReason | undefined {
    if (this.#failing !== undefined && this.#probe !== 'allowed') return this.#failing;
    if (this.isFull()) return 'spool_full';
    if (this.queuedBytes > this.#maxQueuedBytes / 2) return 'queue_full';
    if (this.#failing !== undefined) this.#probe = 'running';
    return undefined;
  }

  /** May an exchange that has begun go on with `bytes` more? undefined: yes. */
  refuseMore(bytes: number): LostReason | undefined {
    if (this.usedBytes() + this.queuedBytes + bytes > this.maxBytes) {
      this.#full = true;
      return 'spool_full';
    }
    return this.queuedBytes + bytes > this.#maxQueuedBytes ? 'queue_full' : undefined;
  }
}
