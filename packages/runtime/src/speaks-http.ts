import type { IncomingMessage } from 'node:http';

const REQUEST_LINE = /^([^ \n]+) +([^ \n]+) +([A-Z]+)\//gm;

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
    if (method === request.method && target === request.url) return protocol === 'HTTP';
  }
  return true;
}
