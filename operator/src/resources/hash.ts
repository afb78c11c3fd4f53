import { createHash } from 'node:crypto';

const CHARACTERS = 8;

/** Eight hexadecimal digits that tell contents apart, for names. */
export function hashOf(content: unknown): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return createHash('sha256').update(text).digest('hex').slice(0, CHARACTERS);
}
