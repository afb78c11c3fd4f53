import type { CopiedBytes } from './earlier-bodies.ts';
import {
  checkRecord,
  MAX_PAYLOAD_BYTES,
  RECORD_HEADER_BYTES,
  recordId,
  recordType,
  RecordType,
  sealRecord,
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

const LARGEST_RECORD = RECORD_HEADER_BYTES + MAX_PAYLOAD_BYTES;

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

/** A reader that started behind the record has not seen it. @returns its size, 0 when it is not whole */
function checkAgain(source: SegmentSource, offset: number): number {
  const data = Buffer.allocUnsafe(Math.min(LARGEST_RECORD, Math.max(0, source.readTo - offset)));
  const filled = source.read(data, 0, data.length, offset);
  const check = checkRecord(data, 0, filled, source.seed);
  if (check.state !== 'whole') return 0;
  source.noteWholeSlice(offset, check.bytes);
  return check.bytes;
}
