import { decodeContent } from '@claude-nexus/protocol';
import { isObject } from './json-values.ts';
import type { JsonObject } from './json-values.ts';

/** Larger bodies, once decoded, are not parsed for reading: parsing holds up every other answer meanwhile. */
const MAX_PARSED_BYTES = 33_554_432;

/** A body as it is stored. */
export interface RawBody {
  readonly bytes: Buffer;
  /** Content-Encoding of the bytes. */
  readonly encoding: string | undefined;
}

/** Either the object a body is, or one sentence that says why there is none. */
export type ParsedBody = { readonly object: JsonObject } | { readonly problem: string };

/** Decodes and parses a stored body, whatever it holds. */
export function parseBody({ bytes, encoding }: RawBody): ParsedBody {
  const decoded = decodeContent(encoding, bytes, MAX_PARSED_BYTES);
  if (decoded === undefined) {
    return { problem: 'The body cannot be decoded: its Content-Encoding does not fit.' };
  }
  if (decoded.truncated) return { problem: 'The body is too large to be shown here.' };
  if (decoded.bytes.length === 0) return { problem: 'The body is empty.' };
  let value: unknown;
  try {
    value = JSON.parse(decoded.bytes.toString('utf8'));
  } catch {
    return { problem: 'The body is not JSON.' };
  }
  return isObject(value) ? { object: value } : { problem: 'The body is JSON, but not an object.' };
}
