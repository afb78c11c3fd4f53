/** What the proxy knows when a request's headers have been read. */
export interface BeginMeta {
  /** Epoch milliseconds. */
  startedAt: number;
  method: string;
  /** Request target with its query string; the recorder redacts query values it does not know. */
  path: string;
  domain: string;
  /** Whose data this is: `domain:<domain>` or `account:<hash>`. */
  scope: string;
  accountId?: string;
  clientKeyName?: string;
  /** Flat name, value, name, value ... as received; the recorder applies the allow-list before it writes. */
  headers: readonly string[];
  /** False: a metadata row only; neither body is written. */
  recordBody: boolean;
}

/** Head of the upstream's answer. */
export interface ResponseHead {
  status: number;
  /** Flat name, value, ... as received; the recorder applies the allow-list before it writes. */
  headers: readonly string[];
  /** Epoch milliseconds. */
  at: number;
}

export type EndOutcome = 'completed' | 'error' | 'aborted' | 'interrupted';

/** How an exchange ended. */
export interface EndMeta {
  outcome: EndOutcome;
  /** Epoch milliseconds. */
  endedAt: number;
  status?: number;
  errorType?: string;
  errorMessage?: string;
  /** The request body did not arrive in full (client abort, refused early). */
  requestTruncated?: boolean;
}

/**
 * The recording of one exchange. No method throws or waits for the disk; chunks are referenced until they are copied,
 * so their bytes must not be changed afterwards.
 */
export interface ExchangeRecording {
  /** UUIDv7. */
  readonly id: string;
  requestChunk(chunk: Buffer): void;
  /**
   * To be asked after each chunk of a request. @returns undefined, or, while the disk is behind, what to wait for before
   * more of the body is read: then a burst is not lost. It resolves at the latest when the disk has written nothing for a
   * second; it never rejects.
   */
  catchUp(): Promise<void> | undefined;
  requestEnd(): void;
  responseHead(head: ResponseHead): void;
  /** `at`: epoch milliseconds. */
  responseChunk(chunk: Buffer, at: number): void;
  /**
   * Resolves when the end record has passed write(2), after `lateAfterMs` (counted late), or when it cannot be
   * written (counted lost). Never rejects. A second call changes nothing.
   */
  end(meta: EndMeta): Promise<void>;
}

/**
 * Why an exchange is not, or not fully, in the journal.
 * `spool_full`: SPOOL_MAX_BYTES; `disk_full`, `io_error`: the spool's disk; `queue_full`: the disk is too slow and
 * the memory for unwritten bytes is used up; `not_owner`: another process took the spool over; `closed`: begun after
 * close(); `abandoned`: not shipped when the process had to end and the spool does not outlive it.
 */
export const LOST_REASONS = [
  'spool_full',
  'disk_full',
  'io_error',
  'queue_full',
  'not_owner',
  'closed',
  'abandoned',
] as const;
export type LostReason = (typeof LOST_REASONS)[number];

/** State of the recorder; counters are since the start of the process. */
export interface RecorderStats {
  enabled: boolean;
  /** Bytes on disk that are not yet deleted, quarantine included. */
  spoolBytes: number;
  spoolMaxBytes: number;
  /** Bytes accepted but not yet passed to write(2). */
  queuedBytes: number;
  /** Bytes kept of earlier exchanges, by estimate; the worker's part up to a second old. */
  rememberedBytes: number;
  /** Exchanges begun and not ended. */
  openExchanges: number;
  /** Exchanges in the journal whose rows are not committed yet. */
  unshippedExchanges: number;
  /** Age of the oldest ended exchange that is not shipped, in seconds. */
  lagSeconds: number;
  begunExchanges: number;
  lateExchanges: number;
  lostExchanges: Readonly<Record<LostReason, number>>;
  quarantinedRecords: number;
  quarantineBytes: number;
  interruptedExchanges: number;
  workerRestarts: number;
  /** Calls of write(2), for the cost per exchange. */
  writes: number;
  spoolFull: boolean;
  spoolFailing: boolean;
}

/** Records exchanges; the proxy's only view of recording. */
export interface Recorder {
  begin(meta: BeginMeta): ExchangeRecording;
  stats(): RecorderStats;
  /**
   * Flushes and syncs the spool. With `ship` it waits until everything is shipped or `deadlineMs` is over, then
   * counts and logs what is left behind; without, what is left ships after the next start.
   */
  close(options: { deadlineMs: number; ship: boolean }): Promise<void>;
}
