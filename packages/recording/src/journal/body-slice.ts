import { RECORD_HEADER_BYTES, sealRecord } from './record.ts';
import type { RecordOrigin, RecordType } from './record.ts';
import type { SlabPart, SlabPool } from './slab-pool.ts';
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

export interface BodySlice {
  type: RecordType;
  bodyOffset: number;
  parts: readonly Buffer[];
  partBytes: number;
  /** Flat: milliseconds since the previous chunk, length. Empty for a request. */
  series: readonly number[];
}

/** A record holding this slice; the chunks are copied. */
export function sealSlice(origin: RecordOrigin, slice: BodySlice, slabs: SlabPool): SlabPart {
  let seriesBytes = 0;
  for (const value of slice.series) seriesBytes += varintBytes(value);
  const prefix = varintBytes(slice.bodyOffset) + varintBytes(seriesBytes) + seriesBytes;
  const record = slabs.take(RECORD_HEADER_BYTES + prefix + slice.partBytes);
  const { bytes } = record;
  let at = writeVarint(bytes, RECORD_HEADER_BYTES, slice.bodyOffset);
  at = writeVarint(bytes, at, seriesBytes);
  for (const value of slice.series) at = writeVarint(bytes, at, value);
  for (const part of slice.parts) {
    bytes.set(part, at);
    at += part.length;
  }
  sealRecord(origin, slice.type, bytes);
  return record;
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
