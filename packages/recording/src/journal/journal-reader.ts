import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

import type { LostReason } from '../types.ts';
import { loadProgress, saveProgress } from './acknowledgements.ts';
import { JournalControl } from './control.ts';
import { ExchangeTable } from './exchange-table.ts';
import { idToKey } from './exchange-key.ts';
import { JournalScanner } from './journal-scanner.ts';
import { Quarantine } from './quarantine.ts';
import { removeLeftovers } from './segment-files.ts';
import { compactSegment, worthCompacting } from './segment-compactor.ts';
import type { SegmentSource } from './segment-source.ts';
import type {
  JournalBatch,
  JournalExchange,
  JournalReader,
  JournalReaderOptions,
  JournalReaderStats,
  NextOptions,
} from './types.ts';

const GATHER_MS = 25;
const POLL_MS = 1000;
/** Replacing the file makes the file system write it out. What was acknowledged since is read again after a crash. */
const SAVE_AFTER_MS = 2000;

/**
 * Opens the journal for reading: first what earlier processes left behind, then what this process appends.
 *
 * @throws {JournalError} when the spool cannot be read
 */
export function openJournalReader(options: JournalReaderOptions): JournalReader {
  return new SpoolReader(options);
}

class SpoolReader implements JournalReader {
  readonly #spoolDir: string;
  readonly #control: JournalControl;
  readonly #gatherMs: number;
  readonly #pollMs: number;
  readonly #now: () => number;
  readonly #table: ExchangeTable;
  readonly #scanner: JournalScanner;
  /** Finished segments that somebody still needs. */
  readonly #pinned = new Set<SegmentSource>();
  #lastReadAt = Number.NEGATIVE_INFINITY;
  #saveTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: JournalReaderOptions) {
    this.#spoolDir = options.spoolDir;
    this.#control = new JournalControl(options.control);
    this.#gatherMs = options.gatherMs ?? GATHER_MS;
    this.#pollMs = options.pollMs ?? POLL_MS;
    this.#now = options.now ?? Date.now;
    const quarantine = new Quarantine({
      spoolDir: options.spoolDir,
      maxBytes: options.quarantineMaxBytes,
      control: this.#control,
      now: this.#now,
    });
    this.#table = new ExchangeTable({
      control: this.#control,
      quarantine,
      liveFrom: options.liveFrom,
      suspects: options.suspects,
      lost: options.lost,
      now: this.#now,
    });
    this.#control.addToCounter('freedBytes', removeLeftovers(options.spoolDir));
    this.#scanner = new JournalScanner({
      spoolDir: options.spoolDir,
      control: this.#control,
      liveFrom: options.liveFrom,
      progress: loadProgress(options.spoolDir),
      events: {
        record: (found) => this.#table.record(found),
        corrupt: (source, from, to) => this.#table.corrupt(source, from, to),
        torn: () => undefined,
        finished: (source) => {
          this.#table.finished(source);
          this.#pinned.add(source);
          this.#sweep();
          this.#compact();
        },
        historyRead: () => this.#table.closeInterrupted(),
      },
    });
  }

  async next(options: NextOptions): Promise<JournalBatch> {
    const deadline = this.#now() + options.timeoutMs;
    for (;;) {
      // Read before looking, so that a ring in between is not slept through.
      const seen = this.#control.doorbell();
      const batch = this.#read(options.maxBytes);
      const left = deadline - this.#now();
      const done = batch.ended.length > 0 || batch.open.length > 0 || left <= 0;
      if (done || this.#closed || options.signal?.aborted === true) return batch;
      if (batch.caughtUp) await this.#waitForMore(seen, left, options.signal);
      else await turn();
    }
  }

  ack(exchangeId: string): void {
    if (this.#table.release(idToKey(exchangeId))) this.#afterRelease();
  }

  quarantine(exchangeId: string, why: { reason: string; error?: unknown }): void {
    if (!this.#table.quarantine(idToKey(exchangeId), why)) return;
    this.#afterRelease();
    this.#save();
  }

  processing(exchangeIds: readonly string[]): void {
    this.#control.setProcessing(exchangeIds.map((id) => Buffer.from(idToKey(id), 'latin1')));
  }

  showLife(): void {
    this.#control.showLife();
  }

  openExchanges(): JournalExchange[] {
    return this.#table.open();
  }

  markLost(exchangeId: string, reason: LostReason): void {
    this.#table.markLost(idToKey(exchangeId), reason);
    this.#control.ring();
  }

  stats(): JournalReaderStats {
    const read = (name: Parameters<JournalControl['counter']>[0]) => this.#control.counter(name);
    return {
      spoolBytes: read('spoolBytes'),
      unshippedExchanges: read('unackedEnded'),
      openExchanges: read('openExchanges'),
      lagSeconds: read('lagSeconds'),
      lateExchanges: read('late'),
      lostExchanges: read('lost'),
      quarantinedRecords: read('quarantined'),
      corruptBytes: read('corruptBytes'),
      interruptedExchanges: read('interrupted'),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#saveTimer);
    this.#save();
    this.#scanner.close();
    for (const source of this.#pinned) source.close();
    this.#control.wake();
  }

  #read(maxBytes: number): JournalBatch {
    this.#lastReadAt = this.#now();
    if (this.#closed) return { ended: [], open: [], caughtUp: true };
    const quarantined = this.#control.counter('quarantined');
    const { caughtUp, position } = this.#scanner.scan(maxBytes);
    if (caughtUp) this.#table.closeLost();
    // The thread may die of the next exchange; this one must not be set aside, and counted, again.
    if (this.#control.counter('quarantined') !== quarantined) this.#save();
    const batch = { ...this.#table.takeChanges(), caughtUp };
    this.#table.publish();
    this.#control.setCounter('readSegment', position.segment);
    this.#control.setCounter('readOffset', position.offset);
    return batch;
  }

  /** Following record by record would wake this thread for every write: what comes within a moment is read at once. */
  async #waitForMore(seen: number, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const wake = () => this.#control.wake();
    signal?.addEventListener('abort', wake, { once: true });
    try {
      await this.#control.wait(seen, Math.min(leftMs, this.#pollMs));
      const rest = this.#lastReadAt + this.#gatherMs - this.#now();
      if (rest > 0 && signal?.aborted !== true) await delay(rest);
    } finally {
      signal?.removeEventListener('abort', wake);
    }
  }

  #afterRelease(): void {
    this.#sweep();
    this.#table.publish();
    this.#scheduleSave();
  }

  #scheduleSave(): void {
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined;
      this.#save();
    }, SAVE_AFTER_MS).unref();
  }

  /** Deletes finished segments nobody needs any more. */
  #sweep(): void {
    const free = [...this.#pinned].filter((source) => !source.needed);
    if (free.length === 0) return;
    for (const source of free) this.#pinned.delete(source);
    const saved = this.#save();
    for (const source of free) {
      try {
        this.#control.addToCounter('freedBytes', source.remove());
      } catch {
        // Deleting is tried again at the next start; until then its bytes count as used.
        source.close();
      }
    }
    // On a full disk the progress can only be saved once something is deleted.
    if (!saved) this.#save();
  }

  /** Long streams keep few bytes of many segments: those are rewritten to what is needed. */
  #compact(): void {
    for (const source of worthCompacting([...this.#pinned])) {
      try {
        const compacted = compactSegment(this.#spoolDir, source);
        // What is left out is acknowledged: that must be known before it is gone.
        if (this.#save()) this.#control.addToCounter('freedBytes', compacted.activate());
        else compacted.discard();
      } catch {
        // No room, or no permission: the segment stays as it is.
        return;
      }
    }
    this.#scheduleSave();
  }

  /** False: the file stays as it was, so more is read again after a restart. */
  #save(): boolean {
    const sources = [...this.#pinned, ...this.#scanner.unfinished()];
    try {
      saveProgress(this.#spoolDir, new Map(sources.map((source) => [source.name, source.progress()])));
      return true;
    } catch {
      return false;
    }
  }
}
