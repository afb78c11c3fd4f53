import type { SegmentProgress } from './acknowledgements.ts';
import type { JournalControl, JournalPosition } from './control.ts';
import { findRecord, isBlank } from './find-record.ts';
import { checkRecord, MAX_RECORD_BYTES } from './record.ts';
import { listSegments } from './segment-files.ts';
import { SegmentSource } from './segment-source.ts';

/** A whole record: its bytes are `data[at, at + bytes)` until the callback returns; `offset` is its place in the segment. */
export interface FoundRecord {
  source: SegmentSource;
  data: Buffer;
  at: number;
  bytes: number;
  offset: number;
}

interface ScannerEvents {
  record(found: FoundRecord): void;
  /** Bytes that are no record, with whole records after them, or in place of the last one. */
  corrupt(source: SegmentSource, from: number, to: number): void;
  /** The unfinished end of a segment whose process died. */
  torn(source: SegmentSource, from: number, to: number): void;
  /** The segment is read and will not grow. */
  finished(source: SegmentSource): void;
  /** Every segment of earlier processes has been read. */
  historyRead(): void;
}

export interface ScannerOptions {
  spoolDir: string;
  control: JournalControl;
  /** First segment of this process. */
  liveFrom: number;
  /** What earlier readers did, by segment name. */
  progress: ReadonlyMap<string, SegmentProgress>;
  events: ScannerEvents;
}

export interface ScanResult {
  /** There is nothing more at this moment. */
  caughtUp: boolean;
  /** Read up to here. */
  position: JournalPosition;
}

const WINDOW_BYTES = 256 * 1024;
/** Enough for the largest record; allocated when one does not fit the usual window. */
const LARGE_WINDOW_BYTES = 2 * MAX_RECORD_BYTES;

/** Walks the records of all segments in order, following the writer up to its published position. */
export class JournalScanner {
  readonly #options: ScannerOptions;
  #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #windowSource: SegmentSource | undefined;
  #windowStart = 0;
  #windowEnd = 0;
  /** Listed and not finished, in order. */
  #ahead: SegmentSource[] = [];
  #lastListed = 0;
  #historyRead = false;

  constructor(options: ScannerOptions) {
    this.#options = options;
    this.#list();
  }

  /** Reads about `maxBytes`. */
  scan(maxBytes: number): ScanResult {
    const written = this.#options.control.position();
    let consumed = 0;
    while (consumed < maxBytes) {
      const source = this.#current(written);
      if (source === undefined) return { caughtUp: true, position: written };
      const closed = this.#isClosed(source, written);
      const limit = closed ? source.size() : written.offset;
      if (source.readTo < limit) {
        consumed += this.#readRecords(source, limit, maxBytes - consumed);
      } else if (closed) {
        this.#finish(source);
      } else {
        return { caughtUp: true, position: written };
      }
    }
    return { caughtUp: false, position: this.#position() };
  }

  close(): void {
    for (const source of this.#ahead) source.close();
  }

  #position(): JournalPosition {
    const source = this.#ahead[0];
    return { segment: source?.number ?? this.#lastListed, offset: source?.readTo ?? 0 };
  }

  unfinished(): readonly SegmentSource[] {
    return this.#ahead;
  }

  #isClosed(source: SegmentSource, position: JournalPosition): boolean {
    return source.number < this.#options.liveFrom || source.number < position.segment;
  }

  /** The segment to read from; undefined when the writer has not begun the next one. */
  #current(position: JournalPosition): SegmentSource | undefined {
    if (this.#ahead.length === 0 && position.segment > this.#lastListed) this.#list();
    const source = this.#ahead[0];
    if (!this.#historyRead && (source === undefined || source.number >= this.#options.liveFrom)) {
      this.#historyRead = true;
      this.#options.events.historyRead();
    }
    if (source === undefined || source.number < this.#options.liveFrom) return source;
    // A file may exist before the writer has published its first bytes.
    return source.number <= position.segment ? source : undefined;
  }

  #list(): void {
    const { spoolDir, progress } = this.#options;
    for (const file of listSegments(spoolDir)) {
      // Of a rewritten segment the newest generation comes first.
      if (file.number <= this.#lastListed) continue;
      this.#lastListed = file.number;
      this.#ahead.push(new SegmentSource(spoolDir, file, progress.get(file.name)));
    }
  }

  #finish(source: SegmentSource): void {
    source.finished = true;
    this.#ahead.shift();
    this.#options.events.finished(source);
  }

  /** Reads records from the window, filling it first where needed; returns the bytes passed. */
  #readRecords(source: SegmentSource, limit: number, maxBytes: number): number {
    const from = source.readTo;
    if (!this.#windowCovers(source)) this.#fill(source, limit);
    while (source.readTo < limit && source.readTo - from < maxBytes) {
      const at = source.readTo - this.#windowStart;
      const check = checkRecord(this.#window, at, this.#windowEnd - this.#windowStart, source.seed);
      if (check.state === 'whole') {
        this.#emit(source, at, check.bytes);
      } else if (check.state === 'cut' && this.#windowEnd < limit) {
        if (!this.#fill(source, limit)) break;
      } else {
        this.#skip(source, limit, check.state);
        break;
      }
    }
    return source.readTo - from;
  }

  #emit(source: SegmentSource, at: number, bytes: number): void {
    const offset = source.readTo;
    source.readTo += bytes;
    this.#options.events.record({ source, data: this.#window, at, bytes, offset });
  }

  #windowCovers(source: SegmentSource): boolean {
    return (
      this.#windowSource === source && source.readTo >= this.#windowStart && source.readTo < this.#windowEnd
    );
  }

  /** False: the file is shorter than it should be; the segment ends here. */
  #fill(source: SegmentSource, limit: number): boolean {
    if (this.#windowCovers(source) && this.#windowStart === source.readTo) {
      this.#window = Buffer.allocUnsafeSlow(LARGE_WINDOW_BYTES);
    }
    const length = Math.min(limit - source.readTo, this.#window.length);
    const filled = source.read(this.#window, 0, length, source.readTo);
    this.#windowSource = source;
    this.#windowStart = source.readTo;
    this.#windowEnd = source.readTo + filled;
    if (filled > 0) return true;
    this.#options.events.torn(source, source.readTo, limit);
    source.readTo = limit;
    return false;
  }

  #skip(source: SegmentSource, limit: number, state: 'cut' | 'corrupt'): void {
    const from = source.readTo;
    const next = findRecord(source, from + 1, limit);
    source.readTo = next;
    this.#windowSource = undefined;
    const torn = next === limit && (state === 'cut' || isBlank(source, from, limit));
    if (torn) this.#options.events.torn(source, from, next);
    else this.#options.events.corrupt(source, from, next);
  }
}
