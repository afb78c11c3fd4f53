import { varintBytes, VarintReader, writeVarint } from '../journal/varint.ts';

/**
 * Packs when the chunks of an answer arrived: per chunk the milliseconds since the previous one and its size.
 *
 * @param chunks flat: milliseconds after the start (ascending), byte length, and so on
 */
export function encodeChunks(chunks: readonly number[]): Buffer {
  const values: number[] = [];
  let previous = 0;
  for (let i = 0; i + 1 < chunks.length; i += 2) {
    const at = Math.max(previous, Math.round(chunks[i] as number));
    values.push(at - previous, chunks[i + 1] as number);
    previous = at;
  }
  const out = Buffer.allocUnsafe(values.reduce((sum, value) => sum + varintBytes(value), 0));
  let offset = 0;
  for (const value of values) offset = writeVarint(out, offset, value);
  return out;
}

/** The series `encodeChunks` was given, in whole milliseconds. */
export function decodeChunks(packed: Buffer): number[] {
  const reader = new VarintReader(packed);
  const chunks: number[] = [];
  let at = 0;
  while (reader.offset < packed.length) {
    at += reader.next();
    chunks.push(at, reader.next());
  }
  return chunks;
}
