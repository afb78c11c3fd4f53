import { createHmac } from 'node:crypto';

const HEX_DIGITS = 16;

/**
 * Digest of secret texts that says whether they changed and nothing else.
 *
 * @param key a secret of this resource: without it nobody can try guesses against the digest
 * @returns 16 hex digits
 */
export function keyedDigest(key: string, texts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(texts)).digest('hex').slice(0, HEX_DIGITS);
}
