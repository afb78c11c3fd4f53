import type { EndMeta, LostReason } from '../types.ts';

/** Flat list name, value, name, value, ...; null where the allow-list keeps only the name. Order and case as received. */
export type StoredHeaders = readonly (string | null)[];

/** The begin record as stored: headers allow-listed, query values redacted. */
export interface StoredBegin {
  startedAt: number;
  method: string;
  path: string;
  domain: string;
  scope: string;
  accountId?: string;
  clientKeyName?: string;
  headers: StoredHeaders;
  recordBody: boolean;
}

/** The answer's head as stored. */
export interface StoredHead {
  status: number;
  headers: StoredHeaders;
  /** Epoch milliseconds. */
  at: number;
}

/** The end record as stored. */
export interface StoredEnd extends EndMeta {
  /** Bytes that passed, also where bodies are not recorded. */
  requestLength: number;
  responseLength: number;
}

/** Bytes of the answer in wire order (content-encoding untouched) with the arrival of each chunk. */
export interface RecordedResponse {
  bytes: Buffer;
  /** Flat: milliseconds after `begin.startedAt`, byte length; one pair per chunk received from the upstream. */
  chunks: number[];
}

/**
 * Why an exchange is over. `end`: its end record; `interrupted`: its process died before it ended; `lost`: the
 * recorder could not write the rest (see `lost`).
 */
export type ExchangeClosing = 'end' | 'interrupted' | 'lost';

/**
 * One exchange as found in the journal. Bodies are not held in memory: `requestBody` and `response` read them from
 * the spool at each call, until the exchange is acknowledged or quarantined.
 */
export interface JournalExchange {
  readonly id: string;
  readonly begin: StoredBegin;
  /** Written by an earlier process. */
  readonly recovered: boolean;
  /** The request body has arrived in full. */
  readonly requestComplete: boolean;
  /** Recorded bytes; 0 where bodies are not recorded (`end` then has the lengths). */
  readonly requestLength: number;
  readonly responseLength: number;
  readonly head: StoredHead | undefined;
  readonly end: StoredEnd | undefined;
  /** undefined while the exchange is open. */
  readonly closing: ExchangeClosing | undefined;
  readonly lost: LostReason | undefined;
  /** A record of it was corrupt: the bodies stop before the first gap. The remains are in quarantine. */
  readonly damaged: boolean;
  /** @param allocate where the body is put; a buffer of its own when absent */
  requestBody(allocate?: AllocateBytes): Buffer;
  response(allocate?: AllocateBytes): RecordedResponse;
}

/** Answers a buffer of exactly so many bytes, which the caller fills. */
export type AllocateBytes = (bytes: number) => Buffer;

/** What the journal has to say since the previous batch, in journal order. */
export interface JournalBatch {
  /** Closed exchanges; each is to be acknowledged (or quarantined) once, in any order. */
  ended: JournalExchange[];
  /** Exchanges that began, or whose request became complete, in this batch and that are still open. */
  open: JournalExchange[];
  /** Nothing more is in the journal at this moment. */
  caughtUp: boolean;
}

/** What a reader needs; made by the recorder and passed to its worker as `workerData.journal`. */
export interface JournalReaderOptions {
  spoolDir: string;
  /** Doorbell, write position, position cell and counters: see control.ts. */
  control: SharedArrayBuffer;
  /** Number of the first segment of this process; what is older was written by a process that is dead. */
  liveFrom: number;
  quarantineMaxBytes: number;
  /** Exchanges that were being processed when a worker died. */
  suspects: readonly Suspect[];
  /** Exchanges whose rest could not be written. */
  lost: readonly LostExchange[];
  /** Least time between two reads while following, in milliseconds; default 25. */
  gatherMs?: number;
  /** Look even when the doorbell did not ring, in milliseconds; default 1000. */
  pollMs?: number;
  now?: () => number;
}

export interface Suspect {
  id: string;
  /** How often a worker died while it processed this exchange alone. */
  attempts: number;
}

export interface LostExchange {
  id: string;
  reason: LostReason;
}

export interface NextOptions {
  /** Stop reading after about this many bytes of journal. */
  maxBytes: number;
  /** Longest wait for something new. */
  timeoutMs: number;
  /** Resolves the call early, with an empty batch. */
  signal?: AbortSignal;
}

/** Reads the journal in order, following the writer; lives in the worker thread. */
export interface JournalReader {
  /**
   * Waits for something new and reads it. A bad record never rejects: it is quarantined and counted. Not calling
   * it is the back-pressure: memory stays flat and the spool grows. One call at a time.
   *
   * @throws {JournalError} when the spool itself cannot be read
   */
  next(options: NextOptions): Promise<JournalBatch>;
  /**
   * The rows of a closed exchange are committed. Cheap; persisted in the background, so a crash brings some
   * exchanges again: what is downstream must be idempotent. Unknown ids are ignored.
   */
  ack(exchangeId: string): void;
  /** The exchange cannot be processed: its records go to the quarantine folder and it counts as acknowledged. */
  quarantine(exchangeId: string, why: { reason: string; error?: unknown }): void;
  /**
   * Names the exchanges being processed in shared memory, none when done. When the worker dies meanwhile they are
   * suspects of the next one, which has to process each of them alone. One that was named alone is tried once more; the
   * second time it goes to quarantine and never appears in a batch again. No more than `MAX_PROCESSING` are named.
   */
  processing(exchangeIds: readonly string[]): void;
  /** To be called every second or so while something is awaited: tells it from hanging in an exchange. */
  showLife(): void;
  /** Exchanges without an end so far, oldest first. */
  openExchanges(): JournalExchange[];
  /** The recorder could not write the rest of an exchange: it appears in the next batch as closed by `lost`. */
  markLost(exchangeId: string, reason: LostReason): void;
  /** Figures for the recorder's row in the database; plain numbers. */
  stats(): JournalReaderStats;
  /** Persists the acknowledgements and closes the files. */
  close(): void;
}

/** State of the journal as the worker sees it; counters are since the start of the process. */
export interface JournalReaderStats {
  spoolBytes: number;
  /** Closed exchanges that are not acknowledged. */
  unshippedExchanges: number;
  openExchanges: number;
  lagSeconds: number;
  lateExchanges: number;
  lostExchanges: number;
  quarantinedRecords: number;
  corruptBytes: number;
  interruptedExchanges: number;
}
