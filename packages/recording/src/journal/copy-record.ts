import type { CopiedBytes } from './earlier-bodies.ts';
import {
  checkRecord,
  MAX_RECORD_BYTES,
  RECORD_HEADER_BYTES,
  recordId,
  recordType,
  RecordType,
  sealRecord,
  statedBytes,
} from './record.ts';
import type { RecordOrigin } from './record.ts';
import type { SegmentSource } from './segment-source.ts';
import { varintBytes, VarintReader, writeVarint } from './varint.ts';

/**
 * A slice of a request body that stands in the same segment already, as part of an earlier body. Payload:
 * `[varint offset in the body][varint offset of the record that has the bytes][varint where they begin in it][varint length]`.
 */
interface Copy extends CopiedBytes {
  bodyOffset: number;
}

export function sealCopy(origin: RecordOrigin, { bodyOffset, recordOffset, skip, bytes }: Copy): Buffer {
  const values = [bodyOffset, recordOffset, skip, bytes];
  const payload = values.reduce((sum, value) => sum + varintBytes(value), 0);
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payload);
  let at = RECORD_HEADER_BYTES;
  for (const value of values) at = writeVarint(record, at, value);
  sealRecord(origin, RecordType.requestCopy, record);
  return record;
}

/** Reads the payload that begins at `at`. */
export function readCopy(data: Buffer, at: number): Copy {
  const reader = new VarintReader(data, at);
  return {
    bodyOffset: reader.next(),
    recordOffset: reader.next(),
    skip: reader.next(),
    bytes: reader.next(),
  };
}

/** Whether the segment has, whole, the record that a copy refers to. */
export function isIntact(source: SegmentSource, copy: CopiedBytes): boolean {
  const size = source.wholeSlice(copy.recordOffset) ?? checkAgain(source, copy.recordOffset);
  return copy.skip + copy.bytes <= size;
}

/** How long the start of the record is that `selfContained` makes. */
export function prefixBytes(bodyOffset: number): number {
  return RECORD_HEADER_BYTES + varintBytes(bodyOffset) + 1;
}

/** `record`, or, if it refers to another that is whole, one that says the same without. */
export function selfContained(source: SegmentSource, record: Buffer): Buffer {
  if (recordType(record, 0) !== RecordType.requestCopy) return record;
  const copy = readCopy(record, RECORD_HEADER_BYTES);
  if (!isIntact(source, copy)) return record;
  const prefix = prefixBytes(copy.bodyOffset);
  const whole = Buffer.allocUnsafe(prefix + copy.bytes);
  whole[writeVarint(whole, RECORD_HEADER_BYTES, copy.bodyOffset)] = 0;
  if (source.read(whole, prefix, copy.bytes, copy.recordOffset + copy.skip) !== copy.bytes) return record;
  sealRecord({ id: recordId(record), seed: source.seed }, RecordType.request, whole);
  return whole;
}

/** A smaller record, or one that a reader started behind, is not noted yet. @returns its size, 0 when it is not whole */
function checkAgain(source: SegmentSource, offset: number): number {
  const bytes = recordBytesAt(source, offset);
  if (bytes > MAX_RECORD_BYTES || offset + bytes > source.readTo) return 0;
  const data = Buffer.allocUnsafe(bytes);
  const filled = source.read(data, 0, bytes, offset);
  if (checkRecord(data, 0, filled, source.seed).state !== 'whole') return 0;
  source.noteWholeSlice(offset, bytes);
  return bytes;
}

/** What the record says of its size, right or not. */
function recordBytesAt(source: SegmentSource, offset: number): number {
  const head = Buffer.alloc(RECORD_HEADER_BYTES);
  source.read(head, 0, head.length, offset);
  return statedBytes(head);
}
