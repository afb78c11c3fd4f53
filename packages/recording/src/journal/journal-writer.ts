import { randomBytes } from 'node:crypto';

import { uuidToBuffer } from '@claude-nexus/domain';

import { LOST_REASONS } from '../types.ts';
import type { BeginMeta, ExchangeRecording, LostReason } from '../types.ts';
import { AppendQueue } from './append-queue.ts';
import type { AppendEntry, AppendOwner } from './append-queue.ts';
import { Brake } from './brake.ts';
import type { JournalControl } from './control.ts';
import { EarlierBodies } from './earlier-bodies.ts';
import { EndWaits } from './end-waits.ts';
import type { EndWait } from './end-waits.ts';
import { Episode } from './episode.ts';
import { ExchangeWriter, UnrecordedExchange } from './exchange-writer.ts';
import type { RecordingHost } from './exchange-writer.ts';
import type { JournalFs } from './journal-fs.ts';
import { nodeJournalFs } from './journal-fs.ts';
import { RecordType, textRecord } from './record.ts';
import { listSegments } from './segment-files.ts';
import { SlabPool } from './slab-pool.ts';
import { SpoolBudget } from './spool-budget.ts';
import type { LostExchange } from './types.ts';

/** Called for what operators must learn; the writer itself neither logs nor counts in metrics. */
interface JournalWriterEvents {
  /** An episode of refused exchanges begins, or ends (undefined). */
  full(reason: LostReason | undefined): void;
  /** Writing begins to fail, or works again (undefined). */
  failing(reason: LostReason | undefined, error?: Error): void;
  syncFailed(error: Error): void;
  /** No more records of this exchange will come. */
  lost(exchange: LostExchange): void;
}

export interface JournalWriterOptions {
  spoolDir: string;
  /** SPOOL_MAX_BYTES. */
  maxBytes: number;
  control: JournalControl;
  newId: () => string;
  storedHeaders: RecordingHost['storedHeaders'];
  storedTarget: RecordingHost['storedTarget'];
  storedMessage: RecordingHost['storedMessage'];
  events: JournalWriterEvents;
  segmentBytes?: number;
  /** Least time between two syncs; default 1000 ms. */
  syncIntervalMs?: number;
  /** How long bytes of a stream in flight may stay in memory only; default 200 ms. */
  flushIntervalMs?: number;
  /** How long `end` waits for write(2); default 50 ms. */
  lateAfterMs?: number;
  /** Bound for bytes accepted but not written; default 64 MiB. */
  maxQueuedBytes?: number;
  /** Most to keep of earlier bodies for the next ones to refer to; default: a segment. */
  maxEarlierBytes?: number;
  /** How long request bodies wait for a disk that writes nothing; default 1000 ms. */
  hangMs?: number;
  /** How often a failing disk is looked at; default 500 ms. */
  probeIntervalMs?: number;
  fs?: JournalFs;
  now?: () => number;
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
/** The spool holds at least this many segments, so that a small one is freed in steps and not at once. */
const SEGMENTS_PER_SPOOL = 16;
const SMALLEST_SEGMENT = 64 * 1024;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Of the bound, where request bodies begin to wait: what is in flight already has to fit as well. */
const BRAKE_SHARE = 1 / 8;
const HANG_MS = 1000;
const PROBE_INTERVAL_MS = 500;
/** A disk counts as usable again with this much room. */
const ROOM_BYTES = 4 * 1024 * 1024;
const ROOM_SHARE = 1 / 16;
const MAX_MARKERS = 100_000;

/** The main thread's side of the journal: hands out recordings and appends what they produce. */
export class JournalWriter implements RecordingHost {
  readonly seed = randomBytes(4).readUInt32LE();
  /** Number of the first segment of this process. */
  readonly firstSegment: number;
  readonly storedHeaders: RecordingHost['storedHeaders'];
  readonly storedTarget: RecordingHost['storedTarget'];
  readonly storedMessage: RecordingHost['storedMessage'];
  readonly budget: SpoolBudget;
  readonly slabs = new SlabPool();
  readonly earlierBodies: EarlierBodies;
  readonly lostCounts: Record<LostReason, number>;
  /** Lost exchanges the journal does not tell about yet. */
  readonly unmarked = new Map<string, { idBytes: Buffer; reason: LostReason }>();
  begun = 0;
  refuseAll: LostReason | undefined;
  readonly #options: JournalWriterOptions;
  readonly #now: () => number;
  readonly #fs: JournalFs;
  readonly #queue: AppendQueue;
  readonly #waits: EndWaits;
  readonly #brake: Brake;
  readonly #open = new Set<ExchangeWriter>();
  #dirty = new Set<ExchangeWriter>();
  #flushTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #wasFull = false;
  readonly #fullEpisode: Episode;
  readonly #failingEpisode: Episode;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#fs = options.fs ?? nodeJournalFs;
    this.#fullEpisode = new Episode(this.#now);
    this.#failingEpisode = new Episode(this.#now);
    this.storedHeaders = options.storedHeaders;
    this.storedTarget = options.storedTarget;
    this.storedMessage = options.storedMessage;
    this.lostCounts = Object.fromEntries(LOST_REASONS.map((reason) => [reason, 0])) as Record<
      LostReason,
      number
    >;
    const found = listSegments(options.spoolDir);
    this.firstSegment = (found.at(-1)?.number ?? 0) + 1;
    this.earlierBodies = new EarlierBodies(options.maxEarlierBytes ?? Infinity);
    const maxQueuedBytes = options.maxQueuedBytes ?? MAX_QUEUED_BYTES;
    this.#brake = new Brake({
      highBytes: maxQueuedBytes * BRAKE_SHARE,
      hangMs: options.hangMs ?? HANG_MS,
    });
    this.budget = new SpoolBudget({
      control: options.control,
      maxBytes: options.maxBytes,
      foundBytes: found.reduce((sum, segment) => sum + segment.size, 0),
      maxQueuedBytes,
    });
    this.#waits = new EndWaits({ lateAfterMs: options.lateAfterMs ?? 50, now: this.#now });
    this.#queue = new AppendQueue({
      fs: this.#fs,
      spoolDir: options.spoolDir,
      seed: this.seed,
      firstSegment: this.firstSegment,
      segmentBytes: options.segmentBytes ?? segmentBytesFor(options.maxBytes),
      syncIntervalMs: options.syncIntervalMs ?? 1000,
      control: options.control,
      onWritten: (bytes) => this.#writeWorked(bytes),
      onFailed: (reason, error) => this.#writeFailed(reason, error),
      onSyncFailed: (error) => options.events.syncFailed(error),
      onLeft: ({ bytes, slabs }) => {
        this.budget.queuedBytes -= bytes;
        for (const slab of slabs) this.slabs.release(slab);
        this.#brake.progress(this.budget.queuedBytes);
      },
    });
  }

  get openExchanges(): number {
    return this.#open.size;
  }

  get referable(): number | undefined {
    return this.#queue.referable;
  }

  get late(): number {
    return this.#waits.late;
  }

  get writes(): number {
    return this.#queue.writes;
  }

  begin(meta: BeginMeta): ExchangeRecording {
    const id = this.#options.newId();
    const refused = this.refuseAll ?? this.budget.refuseBegin();
    this.#noteFull(refused);
    if (refused !== undefined) {
      this.lostCounts[refused]++;
      return new UnrecordedExchange(id);
    }
    this.begun++;
    const identity = { id, idBytes: uuidToBuffer(id), sequence: this.begun };
    const recording = new ExchangeWriter(this, identity, meta);
    this.#open.add(recording);
    return recording;
  }

  append(entry: AppendEntry): LostReason | undefined {
    const refused = this.refuseAll ?? this.budget.refuseMore(entry.bytes);
    if (refused !== undefined) return refused;
    this.budget.queuedBytes += entry.bytes;
    this.#queue.append(entry);
    return undefined;
  }

  catchUp(): Promise<void> | undefined {
    return this.#brake.check(this.budget.queuedBytes);
  }

  markDirty(recording: ExchangeWriter): void {
    if (recording.dirty) return;
    recording.dirty = true;
    this.#dirty.add(recording);
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#options.flushIntervalMs ?? 200);
  }

  startWait(): EndWait {
    return this.#waits.start();
  }

  closed(recording: ExchangeWriter): void {
    this.#open.delete(recording);
  }

  lost(recording: ExchangeWriter, reason: LostReason): void {
    this.#open.delete(recording);
    this.lostCounts[reason]++;
    if (isFull(reason)) this.#noteFull(reason);
  }

  mark(recording: ExchangeWriter, reason: LostReason): void {
    this.#options.events.lost({ id: recording.id, reason });
    if (this.unmarked.size >= MAX_MARKERS) return;
    this.unmarked.set(recording.id, { idBytes: recording.idBytes, reason });
    if (this.budget.failing === undefined) this.#writeMarker(recording.id, recording.idBytes, reason);
  }

  /** Ends what is open as interrupted, writes and syncs everything. */
  async close(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#brake.release();
    const endedAt = this.#now();
    const ends = [...this.#open].map((recording) => recording.end({ outcome: 'interrupted', endedAt }));
    this.refuseAll ??= 'closed';
    await Promise.all(ends);
    await this.#queue.close();
    clearTimeout(this.#probeTimer);
    this.#waits.close();
  }

  /** Appends what recordings hold back; done by itself at every flush interval. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const recording of dirty) {
      recording.dirty = false;
      recording.flush();
    }
  }

  /** Tells once per episode; gives the reader a closed segment to delete. */
  #noteFull(refused: LostReason | undefined): void {
    const full = refused !== undefined && isFull(refused);
    if (full === this.#wasFull) return;
    this.#wasFull = full;
    if (refused === 'spool_full') this.#queue.rotate();
    if (this.#fullEpisode.changes(full)) this.#options.events.full(full ? refused : undefined);
  }

  #writeWorked(bytes: number): void {
    this.budget.written(bytes);
    if (!this.budget.writeWorked()) return;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    if (this.#failingEpisode.changes(false)) this.#options.events.failing(undefined);
    this.#writeMarkers();
  }

  #writeFailed(reason: LostReason, error: Error): void {
    this.budget.writeFailed(reason);
    if (this.#failingEpisode.changes(true)) this.#options.events.failing(reason, error);
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    if (this.#probeTimer !== undefined) return;
    this.#probeTimer = setTimeout(() => {
      this.#fs.space(this.#options.spoolDir, (space) => {
        this.#probeTimer = undefined;
        if (this.budget.failing === undefined) return;
        const room = space === undefined || space.free >= Math.min(ROOM_BYTES, space.total * ROOM_SHARE);
        if (room) this.budget.allowProbe();
        this.#scheduleProbe();
      });
    }, this.#options.probeIntervalMs ?? PROBE_INTERVAL_MS);
    this.#probeTimer.unref();
  }

  #writeMarkers(): void {
    for (const [id, { idBytes, reason }] of this.unmarked) this.#writeMarker(id, idBytes, reason);
  }

  #writeMarker(id: string, idBytes: Buffer, reason: LostReason): void {
    const text = JSON.stringify({ reason });
    const buffer = textRecord({ id: idBytes, seed: this.seed }, RecordType.lost, text);
    const owner: AppendOwner = {
      dropped: false,
      entryWritten: () => this.unmarked.delete(id),
      // It stays in the list, for the next time the disk works.
      entryFailed: () => undefined,
    };
    this.budget.queuedBytes += buffer.length;
    this.#queue.append({ buffers: [buffer], bytes: buffer.length, slabs: [], owner });
  }
}

/** Refused for want of room, not because writing fails. */
function isFull(reason: LostReason): boolean {
  return reason === 'spool_full' || reason === 'queue_full';
}

function segmentBytesFor(maxBytes: number): number {
  return Math.max(SMALLEST_SEGMENT, Math.min(SEGMENT_BYTES, Math.floor(maxBytes / SEGMENTS_PER_SPOOL)));
}
