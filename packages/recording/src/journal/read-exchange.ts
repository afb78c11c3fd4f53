import type { LostReason } from '../types.ts';
import { readSeries, readSliceHead } from './body-slice.ts';
import { isIntact, prefixBytes, readCopy } from './copy-record.ts';
import { JournalError } from './errors.ts';
import type { FoundRecord } from './journal-scanner.ts';
import { RECORD_HEADER_BYTES } from './record.ts';
import type { SegmentSource } from './segment-source.ts';
import type {
  AllocateBytes,
  ExchangeClosing,
  JournalExchange,
  RecordedResponse,
  StoredBegin,
  StoredEnd,
  StoredHead,
} from './types.ts';

/** Where the bytes of one slice are. */
interface Extent {
  source: SegmentSource;
  /** Of the series, which the body bytes follow. */
  offset: number;
  seriesBytes: number;
  bodyBytes: number;
  /** For a slice that another record holds: where the record that says so is, and its place in the body. */
  copy?: { recordOffset: number; bodyOffset: number };
}

export interface ReadExchangeIdentity {
  id: string;
  /** Key of the exchange in the reader's map. */
  key: string;
  recovered: boolean;
}

/** An exchange under assembly: its small records in memory, of its bodies only the places. */
export class ReadExchange implements JournalExchange {
  readonly id: string;
  readonly key: string;
  readonly recovered: boolean;
  readonly begin: StoredBegin;
  head: StoredHead | undefined;
  end: StoredEnd | undefined;
  closing: ExchangeClosing | undefined;
  lost: LostReason | undefined;
  requestComplete = false;
  damaged = false;
  requestLength = 0;
  responseLength = 0;
  /** Records read so far, the begin included. */
  records = 1;
  /** Segments that hold records of it. */
  readonly sources = new Set<SegmentSource>();
  #request: Extent[] = [];
  #response: Extent[] = [];
  #released = false;

  constructor(identity: ReadExchangeIdentity, begin: StoredBegin) {
    this.id = identity.id;
    this.key = identity.key;
    this.recovered = identity.recovered;
    this.begin = begin;
  }

  addRequest(found: FoundRecord, last: boolean): void {
    const extent = extentOf(found);
    if (extent.bodyOffset !== this.requestLength) {
      this.damaged = true;
      return;
    }
    this.requestLength += extent.bodyBytes;
    if (extent.bodyBytes > 0) this.#request.push(extent);
    if (last) this.requestComplete = true;
  }

  addCopy(found: FoundRecord): void {
    const { source, offset } = found;
    const copy = readCopy(found.data, found.at + RECORD_HEADER_BYTES);
    const { bodyOffset, recordOffset, skip, bytes } = copy;
    if (bodyOffset !== this.requestLength || !isIntact(source, copy)) {
      this.damaged = true;
      return;
    }
    this.requestLength += bytes;
    source.need(this, offset, bytes);
    this.#request.push({
      source,
      offset: recordOffset + skip,
      seriesBytes: 0,
      bodyBytes: bytes,
      copy: { recordOffset: offset, bodyOffset },
    });
  }

  addResponse(found: FoundRecord): void {
    const extent = extentOf(found);
    if (extent.bodyOffset !== this.responseLength) {
      this.damaged = true;
      return;
    }
    this.responseLength += extent.bodyBytes;
    this.#response.push(extent);
  }

  close(closing: ExchangeClosing, details: { end?: StoredEnd; lost?: LostReason } = {}): void {
    this.closing = closing;
    this.end = details.end;
    this.lost = details.lost;
    if (details.end === undefined || !this.begin.recordBody) return;
    const { requestLength, responseLength } = details.end;
    if (requestLength !== this.requestLength || responseLength !== this.responseLength) this.damaged = true;
  }

  requestBody(allocate: AllocateBytes = allocateOwn): Buffer {
    this.#check();
    const body = allocate(this.requestLength);
    let at = 0;
    for (const { source, offset, seriesBytes, bodyBytes } of this.#request) {
      readFully(source, { target: body, at, length: bodyBytes, position: offset + seriesBytes });
      at += bodyBytes;
    }
    return body;
  }

  response(allocate: AllocateBytes = allocateOwn): RecordedResponse {
    this.#check();
    const bytes = allocate(this.responseLength);
    const chunks: number[] = [];
    let at = 0;
    let time = 0;
    for (const { source, offset, seriesBytes, bodyBytes } of this.#response) {
      const series = Buffer.allocUnsafe(seriesBytes);
      readFully(source, { target: series, at: 0, length: seriesBytes, position: offset });
      time = readSeries(series, time, chunks);
      readFully(source, { target: bytes, at, length: bodyBytes, position: offset + seriesBytes });
      at += bodyBytes;
    }
    return { bytes, chunks };
  }

  /** Its records in `source` now stand elsewhere in it, and none of them refers to another any more. */
  move(source: SegmentSource, moved: (offset: number) => number): void {
    for (const extent of [...this.#request, ...this.#response]) {
      if (extent.source !== source) continue;
      const { copy } = extent;
      extent.offset =
        copy === undefined ? moved(extent.offset) : moved(copy.recordOffset) + prefixBytes(copy.bodyOffset);
      delete extent.copy;
    }
  }

  /** Its bytes may be deleted from now on. */
  release(): void {
    this.#released = true;
    this.#request = [];
    this.#response = [];
    for (const source of this.sources) source.release(this);
  }

  #check(): void {
    if (!this.#released) return;
    throw new JournalError(`exchange ${this.id} was acknowledged: its bytes are no longer in the journal`);
  }
}

function allocateOwn(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes);
}

function extentOf(found: FoundRecord): Extent & { bodyOffset: number } {
  const head = readSliceHead(found.data, found.at + RECORD_HEADER_BYTES);
  const before = head.seriesAt - found.at;
  return {
    source: found.source,
    offset: found.offset + before,
    seriesBytes: head.seriesBytes,
    bodyBytes: found.bytes - before - head.seriesBytes,
    bodyOffset: head.bodyOffset,
  };
}

function readFully(
  source: SegmentSource,
  part: { target: Buffer; at: number; length: number; position: number },
): void {
  const { target, at, length, position } = part;
  if (source.read(target, at, length, position) === length) return;
  throw new JournalError(`segment ${source.path} has become shorter than what was read from it`);
}
