import type { StoredHeaders } from './journal/types.ts';

/** Value of the first header with this (lower-case) name; undefined when absent or stored without its value. */
export function headerValue(headers: StoredHeaders, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const candidate = headers[index];
    // Most names differ in length already, and a request is asked for a dozen of them.
    if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue;
    return headers[index + 1] ?? undefined;
  }
  return undefined;
}

/** The media type of a `content-type` header, lower-case and without parameters. */
export function mediaType(headers: StoredHeaders): string | undefined {
  return headerValue(headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
}

/** The content coding of a body, undefined for `identity`. */
export function contentEncoding(headers: StoredHeaders): string | undefined {
  const value = headerValue(headers, 'content-encoding')?.trim().toLowerCase();
  return value === undefined || value === '' || value === 'identity' ? undefined : value;
}
