import { checkRecord, MAX_RECORD_BYTES } from './record.ts';
import type { SegmentSource } from './segment-source.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Looks for the next whole record at or after `from`, for the case that the bytes before cannot be trusted, lengths
 * included. Returns its offset, or `limit` when there is none.
 */
export function findRecord(source: SegmentSource, from: number, limit: number): number {
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES + MAX_RECORD_BYTES, Math.max(0, limit - from)));
  for (let start = from; start < limit; start += CHUNK_BYTES) {
    const filled = source.read(chunk, 0, Math.min(chunk.length, limit - start), start);
    const last = Math.min(filled, CHUNK_BYTES);
    for (let at = 0; at < last; at++) {
      if (mayStartRecord(chunk, at) && checkRecord(chunk, at, filled, source.seed).state === 'whole') {
        return start + at;
      }
    }
  }
  return limit;
}

/** True when everything from `from` on is zero: space that was allocated but not written before a power loss. */
export function isBlank(source: SegmentSource, from: number, limit: number): boolean {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  for (let start = from; start < limit; start += chunk.length) {
    const filled = source.read(chunk, 0, Math.min(chunk.length, limit - start), start);
    if (chunk.subarray(0, filled).some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** The cheapest test first: it runs at every byte. A length is at most 2^20 + 17. */
function mayStartRecord(data: Buffer, at: number): boolean {
  return data[at + 3] === 0 && (data[at + 2] ?? 255) <= 16;
}
