import { RECORD_HEADER_BYTES, sealRecord } from './record.ts';
import type { RecordOrigin, RecordType } from './record.ts';
import { varintBytes, VarintReader, writeVarint } from './varint.ts';

/**
 * Payload of a body record: `[varint offset in the body][varint bytes of the series][series][body bytes]`. The series
 * (answers only) is a pair of varints per chunk: milliseconds since the previous chunk (the first one since the
 * exchange began) and length.
 */
export interface SliceHead {
  /** Where these bytes stand in the body. */
  bodyOffset: number;
  /** Offset of the series, counted like the `at` given to `readSliceHead`. */
  seriesAt: number;
  seriesBytes: number;
}

/** Chunks smaller than this on average are gathered: one copy costs less than a crc call and an iovec for each. */
const GATHER_BELOW_BYTES = 4096;

const SLAB_BYTES = 256 * 1024;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/** A part of a shared slab: thousands of single buffers of this size a second would keep the garbage collector busy. */
function takeBuffer(bytes: number): Buffer {
  if (bytes > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
  if (slabUsed + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  const part = slab.subarray(slabUsed, slabUsed + bytes);
  slabUsed += bytes;
  return part;
}

export interface BodySlice {
  type: RecordType;
  bodyOffset: number;
  parts: readonly Buffer[];
  partBytes: number;
  /** Flat: milliseconds since the previous chunk, length. Empty for a request. */
  series: readonly number[];
}

/** The buffers of a record holding this slice: body chunks are referenced, except where they are tiny. */
export function sealSlice(origin: RecordOrigin, slice: BodySlice): Buffer[] {
  let seriesBytes = 0;
  for (const value of slice.series) seriesBytes += varintBytes(value);
  const prefix = varintBytes(slice.bodyOffset) + varintBytes(seriesBytes) + seriesBytes;
  const gather = slice.parts.length > 1 && slice.partBytes < GATHER_BELOW_BYTES * slice.parts.length;
  const head = takeBuffer(RECORD_HEADER_BYTES + prefix + (gather ? slice.partBytes : 0));
  let at = writeVarint(head, RECORD_HEADER_BYTES, slice.bodyOffset);
  at = writeVarint(head, at, seriesBytes);
  for (const value of slice.series) at = writeVarint(head, at, value);
  if (!gather) {
    sealRecord(origin, slice.type, head, slice.parts);
    return [head, ...slice.parts];
  }
  for (const part of slice.parts) {
    head.set(part, at);
    at += part.length;
  }
  sealRecord(origin, slice.type, head);
  return [head];
}

/** Reads the start of a body record's payload, which begins at `at`. */
export function readSliceHead(data: Buffer, at: number): SliceHead {
  const reader = new VarintReader(data, at);
  const bodyOffset = reader.next();
  const seriesBytes = reader.next();
  return { bodyOffset, seriesAt: reader.offset, seriesBytes };
}

/** Appends the chunks of a series to `chunks` with absolute times and returns the time of the last one. */
export function readSeries(series: Buffer, since: number, chunks: number[]): number {
  const reader = new VarintReader(series);
  let at = since;
  while (reader.offset < series.length) {
    at += reader.next();
    chunks.push(at, reader.next());
  }
  return at;
}
