import { crc32 } from 'node:zlib';

/**
 * A record is `[u32 length][u32 crc32][u8 type][16-byte exchange id][payload]`, little-endian; length counts what
 * follows the crc, which covers exactly that. The crc starts from `seed ^ length`: the seed is random per process and
 * stands in the segment's name, so that bytes a client chose, found while looking for the next record after a corrupt
 * one, can never pass for a record.
 */
export const RECORD_HEADER_BYTES = 25;
const AFTER_CRC = 8;
const ID_AT = 9;
/** Type and id, which `length` includes. */
const FIXED_BYTES = RECORD_HEADER_BYTES - AFTER_CRC;

/** No payload is larger: what claims to be is corrupt, and looking for the next record stays cheap. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
export const MAX_RECORD_BYTES = RECORD_HEADER_BYTES + MAX_PAYLOAD_BYTES;

export const RecordType = {
  begin: 1,
  request: 2,
  /** The last slice of the request body, possibly empty. */
  requestEnd: 3,
  responseHead: 4,
  response: 5,
  end: 6,
  /** The rest of this exchange could not be written. */
  lost: 7,
  /** A slice of the request body that an earlier record of the segment holds: see copy-record.ts. */
  requestCopy: 8,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];
const LAST_TYPE: number = RecordType.requestCopy;

/** Who writes: the 16 bytes of the exchange id and the seed of the process. */
export interface RecordOrigin {
  id: Buffer;
  seed: number;
}

/**
 * Completes a record.
 *
 * @param record RECORD_HEADER_BYTES free bytes, then the payload
 */
export function sealRecord(origin: RecordOrigin, type: RecordType, record: Buffer): void {
  const length = record.length - AFTER_CRC;
  record.writeUInt32LE(length, 0);
  record[AFTER_CRC] = type;
  record.set(origin.id, ID_AT);
  record.writeUInt32LE(crc32(record.subarray(AFTER_CRC), (origin.seed ^ length) >>> 0), 4);
}

/** A complete record whose payload is text. */
export function textRecord(origin: RecordOrigin, type: RecordType, text: string): Buffer {
  const head = Buffer.allocUnsafe(RECORD_HEADER_BYTES + Buffer.byteLength(text));
  head.write(text, RECORD_HEADER_BYTES);
  sealRecord(origin, type, head);
  return head;
}

/** What stands at a place of a segment: a record of `bytes`, the start of one, or neither. */
export type RecordCheck = { state: 'whole'; bytes: number } | { state: 'cut' } | { state: 'corrupt' };

const CUT: RecordCheck = { state: 'cut' };
const CORRUPT: RecordCheck = { state: 'corrupt' };

/** Looks at `data[at, end)`. `cut` says that the record, if it is one, needs more bytes than there are. */
export function checkRecord(data: Buffer, at: number, end: number, seed: number): RecordCheck {
  if (end - at < 4) return CUT;
  const length = data.readUInt32LE(at);
  if (length < FIXED_BYTES || length > FIXED_BYTES + MAX_PAYLOAD_BYTES) return CORRUPT;
  if (end - at >= RECORD_HEADER_BYTES && !looksLikeRecord(data, at)) return CORRUPT;
  const bytes = AFTER_CRC + length;
  if (end - at < bytes) return CUT;
  const crc = crc32(data.subarray(at + AFTER_CRC, at + bytes), (seed ^ length) >>> 0);
  return crc === data.readUInt32LE(at + 4) ? { state: 'whole', bytes } : CORRUPT;
}

/** Type in range and the version and variant bits of a UUIDv7: keeps the search for records from computing crcs. */
function looksLikeRecord(data: Buffer, at: number): boolean {
  const type = data[at + AFTER_CRC] ?? 0;
  const version = (data[at + ID_AT + 6] ?? 0) >> 4;
  const variant = (data[at + ID_AT + 8] ?? 0) >> 6;
  return type >= RecordType.begin && type <= LAST_TYPE && version === 7 && variant === 2;
}

/** Size of the whole record by its own length field, which may be corrupt. */
export function statedBytes(head: Buffer): number {
  return AFTER_CRC + head.readUInt32LE(0);
}

export function recordType(data: Buffer, at: number): RecordType {
  return data[at + AFTER_CRC] as RecordType;
}

/** The 16 bytes of the exchange id. */
export function recordId(record: Buffer): Buffer {
  return record.subarray(ID_AT, RECORD_HEADER_BYTES);
}

/** The id as a map key: 16 characters of one byte each. */
export function recordKey(data: Buffer, at: number): string {
  return data.toString('latin1', at + ID_AT, at + RECORD_HEADER_BYTES);
}
