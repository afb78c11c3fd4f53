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
export function parseBody(body: RawBody): ParsedBody {
  const decoded = decode(body);
  if (decoded === undefined)
    return { problem: 'The body cannot be decoded: its Content-Encoding does not fit.' };
  if (decoded.length > MAX_PARSED_BYTES) return { problem: 'The body is too large to be shown here.' };
  if (decoded.length === 0) return { problem: 'The body is empty.' };
  let value: unknown;
  try {
    value = JSON.parse(decoded.toString('utf8'));
  } catch {
    return { problem: 'The body is not JSON.' };
  }
  return isObject(value) ? { object: value } : { problem: 'The body is JSON, but not an object.' };
}

function decode({ bytes, encoding }: RawBody): Buffer | undefined {
  if (encoding === undefined) return bytes;
  const decoded = decodeContent(encoding, bytes, MAX_PARSED_BYTES + 1);
  return decoded?.bytes;
}
