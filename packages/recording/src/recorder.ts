import { chmodSync, mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { createIdFactory } from '@claude-nexus/domain';
import { redactText } from '@claude-nexus/runtime';
import type { Logger, Metrics } from '@claude-nexus/runtime';

import { JournalControl } from './journal/control.ts';
import { SpoolError } from './journal/errors.ts';
import { UnrecordedExchange } from './journal/exchange-writer.ts';
import type { JournalFs } from './journal/journal-fs.ts';
import { JournalWriter } from './journal/journal-writer.ts';
import { OwnerLock } from './journal/owner-lock.ts';
import { pooledRandom } from './recorder-random.ts';
import { registerRecorderMetrics } from './recorder-metrics.ts';
import { storedHeaders } from './recorder-headers.ts';
import { storedTarget } from './recorder-target.ts';
import { RecorderWorker } from './recorder-worker.ts';
import { LOST_REASONS } from './types.ts';
import type { BeginMeta, ExchangeRecording, LostReason, Recorder, RecorderStats } from './types.ts';

export interface RecorderOptions {
  spoolDir: string;
  /** SPOOL_MAX_BYTES. */
  spoolMaxBytes: number;
  /** Absent: nothing is shipped, the spool fills. */
  databaseUrl?: string;
  /** Names this proxy in the database. */
  recorderId: string;
  logger: Logger;
  metrics: Metrics;
  /** Default: the worker of this package. */
  workerUrl?: URL;
  /** Passed to the worker as they are. */
  workerSettings?: Readonly<Record<string, unknown>>;
  /** Least time between two syncs of the spool; default 1000 ms. */
  syncIntervalMs?: number;
  /** How long bytes of a stream in flight may stay in memory only; default 200 ms. */
  flushIntervalMs?: number;
  /** How long the release of an answer's end waits for its record; default 50 ms. */
  lateAfterMs?: number;
  /** A worker that hangs in an exchange this long is restarted; default 60 s. */
  workerHangMs?: number;
  segmentBytes?: number;
  /** Most that may wait in memory for the spool's disk; default 64 MiB. */
  maxQueuedBytes?: number;
  /** Most to keep of earlier exchanges, so that of the next ones only what is new costs; 216 MiB at most. */
  maxRememberedBytes?: number;
  fs?: JournalFs;
  now?: () => number;
}

const MAX_REMEMBERED_BYTES = 216 * 1024 * 1024;
/** Whose part of it is how large: bodies for the journal, bodies and frames for the database. */
const REMEMBERED_SHARES = { journal: 1 / 4, sessions: 5 / 8, frames: 1 / 8 };
const QUARANTINE_SHARE = 1 / 8;
const MAX_QUARANTINE_BYTES = 256 * 1024 * 1024;
const MAX_MESSAGE_CHARACTERS = 2000;
const PUBLISH_MS = 1000;
const DRAIN_POLL_MS = 20;
const STOP_GRACE_MS = 1000;
const WORKER_HANG_MS = 60_000;

/**
 * Opens the spool and starts the worker that ships it. What an earlier process left in the spool is shipped first.
 *
 * @throws {SpoolInUseError} when another live process owns the spool folder
 * @throws {SpoolError} when the folder cannot be used
 */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  prepareFolder(options.spoolDir);
  const stolen = Promise.withResolvers<void>();
  const lock = await OwnerLock.acquire({ spoolDir: options.spoolDir, onStolen: stolen.resolve });
  try {
    const recorder = new SpoolRecorder(options, lock);
    void stolen.promise.then(() => recorder.spoolStolen());
    return recorder;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** STORAGE_ENABLED=false: requests get ids and nothing is recorded. */
export function disabledRecorder(): Recorder {
  const newId = createIdFactory({ now: Date.now, random: pooledRandom() });
  return {
    begin: () => new UnrecordedExchange(newId()),
    stats: () => emptyStats(),
    close: () => Promise.resolve(),
  };
}

class SpoolRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #now: () => number;
  readonly #lock: OwnerLock;
  readonly #control = new JournalControl();
  readonly #writer: JournalWriter;
  readonly #worker: RecorderWorker;
  readonly #publishTimer: NodeJS.Timeout;
  #caughtUpAt: number;
  #abandoned = 0;
  #closing: Promise<void> | undefined;

  constructor(options: RecorderOptions, lock: OwnerLock) {
    this.#options = options;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.#caughtUpAt = this.#now();
    const { logger } = options;
    const maxRememberedBytes = Math.min(options.maxRememberedBytes ?? Infinity, MAX_REMEMBERED_BYTES);
    this.#writer = new JournalWriter({
      ...options,
      maxBytes: options.spoolMaxBytes,
      maxEarlierBytes: maxRememberedBytes * REMEMBERED_SHARES.journal,
      control: this.#control,
      newId: createIdFactory({ now: this.#now, random: pooledRandom() }),
      storedHeaders,
      storedTarget,
      storedMessage: (text) => redactText(text).slice(0, MAX_MESSAGE_CHARACTERS),
      events: {
        full: (reason) => this.#logFull(reason),
        failing: (reason, error) => this.#logFailing(reason, error),
        syncFailed: (error) => logger.error({ err: error }, 'the spool could not be synced to disk'),
        lost: (exchange) => this.#worker.tellLost(exchange),
      },
    });
    this.#worker = new RecorderWorker({
      url: options.workerUrl ?? new URL('worker.ts', import.meta.url),
      control: this.#control,
      logger,
      now: this.#now,
      hangMs: options.workerHangMs ?? WORKER_HANG_MS,
      onCount: registerRecorderMetrics(options.metrics, () => this.stats()),
      data: (suspects) => ({
        journal: {
          spoolDir: options.spoolDir,
          control: this.#control.memory,
          liveFrom: this.#writer.firstSegment,
          quarantineMaxBytes: Math.min(options.spoolMaxBytes * QUARANTINE_SHARE, MAX_QUARANTINE_BYTES),
          suspects,
          lost: [...this.#writer.unmarked].map(([id, { reason }]) => ({ id, reason })),
        },
        recorderId: options.recorderId,
        maxRememberedBytes: {
          sessions: maxRememberedBytes * REMEMBERED_SHARES.sessions,
          frames: maxRememberedBytes * REMEMBERED_SHARES.frames,
        },
        ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
        settings: options.workerSettings ?? {},
      }),
    });
    this.#worker.start();
    const hangMs = options.workerHangMs ?? WORKER_HANG_MS;
    this.#publishTimer = setInterval(() => this.#publish(), Math.min(PUBLISH_MS, hangMs));
    this.#publishTimer.unref();
  }

  begin(meta: BeginMeta): ExchangeRecording {
    return this.#writer.begin(meta);
  }

  stats(): RecorderStats {
    const { budget, lostCounts } = this.#writer;
    const read = (name: Parameters<JournalControl['counter']>[0]) => this.#control.counter(name);
    return {
      enabled: true,
      spoolBytes: budget.usedBytes(),
      spoolMaxBytes: budget.maxBytes,
      queuedBytes: budget.queuedBytes,
      rememberedBytes: this.#writer.earlierBodies.bytes + read('rememberedBytes'),
      openExchanges: this.#writer.openExchanges,
      unshippedExchanges: this.#unshipped(),
      lagSeconds: this.#lagSeconds(),
      begunExchanges: this.#writer.begun,
      lateExchanges: this.#writer.late,
      lostExchanges: { ...lostCounts, abandoned: this.#abandoned },
      quarantinedRecords: read('quarantined'),
      quarantineBytes: read('quarantineBytes'),
      interruptedExchanges: read('interrupted'),
      workerRestarts: this.#worker.restarts,
      writes: this.#writer.writes,
      spoolFull: budget.isFull(),
      spoolFailing: budget.failing !== undefined,
    };
  }

  close(options: { deadlineMs: number; ship: boolean }): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** Another process owns the spool now: neither write nor delete there any more. */
  async spoolStolen(): Promise<void> {
    this.#writer.refuseAll ??= 'not_owner';
    this.#options.logger.error({}, 'another process has taken the spool over: nothing is recorded any more');
    await this.#worker.stop(0);
  }

  async #close({ deadlineMs, ship }: { deadlineMs: number; ship: boolean }): Promise<void> {
    const deadline = this.#now() + deadlineMs;
    // A disk that hangs must not keep the process.
    const written = this.#writer.close().then(() => true);
    const inTime = await Promise.race([written, delay(Math.max(0, deadlineMs), false, { ref: false })]);
    if (!inTime) this.#options.logger.error({}, 'the spool could not be written out in time');
    if (ship && this.#options.databaseUrl !== undefined) await this.#shipUntil(deadline);
    const left = this.#leftBehind();
    if (ship && left > 0) {
      this.#abandoned += left;
      this.#options.logger.error({ exchanges: left }, 'exchanges were not shipped in time and are abandoned');
    } else if (left > 0) {
      this.#options.logger.info({ exchanges: left }, 'the next start ships what is left in the spool');
    }
    await this.#worker.stop(STOP_GRACE_MS);
    clearInterval(this.#publishTimer);
    this.#lock.release();
  }

  async #shipUntil(deadline: number): Promise<void> {
    let seen = 0;
    // Twice, because the reader's figures are not one atomic value.
    while (seen < 2 && this.#now() < deadline) {
      await delay(DRAIN_POLL_MS);
      seen = this.#leftBehind() === 0 && !this.#behind() ? seen + 1 : 0;
    }
  }

  /** Everything is ended: what the reader has open or has not read yet is left as well. */
  #leftBehind(): number {
    const left = this.#unshipped();
    return left === 0 && this.#behind() ? 1 : left;
  }

  /** Ended and not acknowledged. What the reader has open may have ended, in records it has not read yet. */
  #unshipped(): number {
    const unread = this.#behind() ? this.#writer.begun - this.#control.counter('highestBegin') : 0;
    const known = this.#control.counter('openExchanges') + this.#control.counter('unackedEnded');
    return Math.max(0, Math.max(0, unread) + known - this.#writer.openExchanges);
  }

  #behind(): boolean {
    const { segment, offset } = this.#control.position();
    return this.#control.counter('readSegment') !== segment || this.#control.counter('readOffset') !== offset;
  }

  #lagSeconds(): number {
    const now = this.#now();
    const oldest = this.#control.counter('oldestEndedAt');
    if (!this.#behind()) this.#caughtUpAt = now;
    const lagMs = Math.max(oldest === 0 ? 0 : now - oldest, now - this.#caughtUpAt);
    return Math.max(0, lagMs) / 1000;
  }

  /** Regularly: looks after the worker and passes it the figures for the recorder's row in the database. */
  #publish(): void {
    this.#worker.watch();
    const { spoolBytes, lostExchanges, lateExchanges, lagSeconds } = this.stats();
    this.#control.setCounter('spoolBytes', spoolBytes);
    this.#control.setCounter(
      'lost',
      Object.values(lostExchanges).reduce((sum, count) => sum + count, 0),
    );
    this.#control.setCounter('late', lateExchanges);
    this.#control.setCounter('lagSeconds', lagSeconds);
  }

  #logFull(reason: LostReason | undefined): void {
    const { spoolBytes, spoolMaxBytes, lostExchanges } = this.stats();
    const fields = { reason, spoolBytes, spoolMaxBytes, lostExchanges };
    if (reason === undefined) this.#options.logger.warn(fields, 'exchanges are recorded again');
    else this.#options.logger.error(fields, 'no room to record: exchanges are served but not stored');
  }

  #logFailing(reason: LostReason | undefined, error: Error | undefined): void {
    const fields = { reason, err: error, lostExchanges: { ...this.#writer.lostCounts } };
    if (reason === undefined) this.#options.logger.warn(fields, 'the spool can be written again');
    else
      this.#options.logger.error(fields, 'the spool cannot be written: exchanges are served but not stored');
  }
}

function prepareFolder(spoolDir: string): void {
  try {
    mkdirSync(spoolDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SpoolError(`spool folder ${spoolDir} cannot be created (SPOOL_DIR): ${detail}`, {
      cause: error,
    });
  }
  try {
    chmodSync(spoolDir, 0o700);
  } catch {
    // A mounted volume may belong to somebody else; the files in it are 0600 all the same.
  }
}

function emptyStats(): RecorderStats {
  return {
    enabled: false,
    spoolBytes: 0,
    spoolMaxBytes: 0,
    queuedBytes: 0,
    rememberedBytes: 0,
    openExchanges: 0,
    unshippedExchanges: 0,
    lagSeconds: 0,
    begunExchanges: 0,
    lateExchanges: 0,
    lostExchanges: Object.fromEntries(LOST_REASONS.map((reason) => [reason, 0])) as Record<
      LostReason,
      number
    >,
    quarantinedRecords: 0,
    quarantineBytes: 0,
    interruptedExchanges: 0,
    workerRestarts: 0,
    writes: 0,
    spoolFull: false,
    spoolFailing: false,
  };
}
