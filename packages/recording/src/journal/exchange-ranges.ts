import { findRecord } from './find-record.ts';
import type { SegmentRange } from './quarantine.ts';
import { checkRecord, MAX_RECORD_BYTES, recordKey, RecordType, recordType } from './record.ts';
import type { SegmentSource } from './segment-source.ts';

const WINDOW_BYTES = 2 * MAX_RECORD_BYTES;

/** A whole record of a segment, as `records` yields it. */
export interface PlacedRecord {
  key: string;
  /** Its bytes, valid until the next one is asked for. */
  bytes: Buffer;
  offset: number;
}

/** The whole records of a segment up to `to`; what is corrupt is skipped. */
export function* recordsUpTo(source: SegmentSource, to: number): Generator<PlacedRecord, void, void> {
  const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, to));
  let start = 0;
  let filled = 0;
  for (let offset = 0; offset < to;) {
    if (offset >= start + filled) {
      start = offset;
      filled = source.read(window, 0, Math.min(window.length, to - start), start);
      if (filled === 0) return;
    }
    const check = checkRecord(window, offset - start, filled, source.seed);
    if (check.state === 'whole') {
      const bytes = window.subarray(offset - start, offset - start + check.bytes);
      yield { key: recordKey(bytes, 0), bytes, offset };
      offset += check.bytes;
    } else if (check.state === 'cut' && offset > start && start + filled < to) {
      // The rest of this record is behind the window.
      start = offset;
      filled = source.read(window, 0, Math.min(window.length, to - start), start);
    } else {
      offset = findRecord(source, offset + 1, to);
    }
  }
}

/** Where the records of one exchange are in these segments, as far as they have been read. */
export function rangesOf(key: string, sources: Iterable<SegmentSource>): SegmentRange[] {
  const ranges: SegmentRange[] = [];
  for (const source of sources) {
    for (const record of recordsUpTo(source, source.readTo)) {
      if (record.key !== key) continue;
      const refers = recordType(record.bytes, 0) === RecordType.requestCopy;
      ranges.push({ source, from: record.offset, to: record.offset + record.bytes.length, refers });
    }
  }
  return ranges;
}
