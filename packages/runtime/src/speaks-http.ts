import type { IncomingMessage } from 'node:http';

/** A body may end right before the method. */
const REQUEST_LINE = /([^ \n]+) +([^ \n]+) +(HTTP|RTSP|ICE)\//g;

/**
 * Whether a request came as HTTP. Node's parser takes `RTSP/1.0` and `ICE/1.0` for HTTP/1.0 and keeps no trace of it, so
 * the request line is looked up among the bytes it is reading; a line that has come long before the end of its head is
 * not there any more and passes. Not looked up for a POST of HTTP/1.1, which is what there is most of: reading these
 * bytes copies them, and neither protocol has that version.
 */
export function speaksHttp(request: IncomingMessage): boolean {
  if (request.httpVersionMinor === 1 && request.method === 'POST') return true;
  const { parser } = request.socket as { parser?: { getCurrentBuffer?: () => Buffer | undefined } | null };
  const bytes = parser?.getCurrentBuffer?.()?.toString('latin1') ?? '';
  for (const [, method, target, protocol] of bytes.matchAll(REQUEST_LINE)) {
    const same = method?.endsWith(request.method ?? '') === true && target === request.url;
    if (same) return protocol === 'HTTP';
  }
  return true;
}
