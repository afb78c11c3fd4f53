import { hash } from 'node:crypto';

/** Bytes of a content hash: the first half of a SHA-256. */
export const CONTENT_HASH_BYTES = 16;

/**
 * The address of a piece, recipe or node: the first 16 bytes of SHA-256.
 *
 * The digest travels as a binary string because that costs half of what a Buffer of 32 bytes does, and hundreds of
 * these are made for one body.
 */
export function contentHash(bytes: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(CONTENT_HASH_BYTES);
  out.write(hash('sha256', bytes, 'binary'), 0, CONTENT_HASH_BYTES, 'latin1');
  return out;
}

/** Full SHA-256 (32 bytes), as stored with a body and checked when it is read. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** A hash as a key for Map and Set. */
export function hashKey(contentHash: Buffer): string {
  return contentHash.toString('latin1');
}
