import type { StoredBody } from '../store.ts';

/** Types a browser shows as plain text at most; everything else from outside becomes a stream of bytes. */
const SAFE_TYPES: ReadonlyMap<string, { readonly type: string; readonly extension: string }> = new Map([
  ['application/json', { type: 'application/json; charset=utf-8', extension: 'json' }],
  ['text/event-stream', { type: 'text/plain; charset=utf-8', extension: 'txt' }],
  ['text/plain', { type: 'text/plain; charset=utf-8', extension: 'txt' }],
]);
const BYTES = { type: 'application/octet-stream', extension: 'bin' };

/** Media types bodies are sent as. */
export const BODY_TYPES: readonly string[] = ['application/octet-stream', 'application/json', 'text/plain'];

/**
 * Headers for the exact bytes of a stored body. Bytes in a content coding are sent as they are and without
 * Content-Encoding, or the client would undo the coding and not see what was sent; their coding is named in
 * `nexus-stored-encoding` instead.
 */
export function bodyHeaders(body: StoredBody, name: string): Record<string, string> {
  const media = body.contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const { type, extension } = (body.encoding === undefined ? SAFE_TYPES.get(media) : undefined) ?? BYTES;
  return {
    'content-type': type,
    'content-disposition': `attachment; filename="${name}.${extension}"`,
    'cache-control': 'private, no-store',
    ...(body.encoding !== undefined && { 'nexus-stored-encoding': tokenOf(body.encoding) }),
  };
}

/** A recorded header value, fit to be sent as one. */
function tokenOf(encoding: string): string {
  return encoding.replaceAll(/[^\w!#$%&'*+.^`|~, -]/g, '').slice(0, 100);
}
