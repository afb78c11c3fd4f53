import type { IncomingMessage } from 'node:http';

import { speaksHttp } from '@claude-nexus/runtime';

import type { Failure } from './failure.ts';
import { FAILURES } from './failure.ts';
import type { HeaderView } from './header-view.ts';

/** More headers than any client sends; Node's own count limit would drop the rest silently or not at all. */
const MAX_HEADERS = 256;

/**
 * What Node's strict parser lets pass and a gateway must not: two parties that read the same bytes differently is
 * what request smuggling needs. Refused by the parser itself: Content-Length with Transfer-Encoding, repeated,
 * signed or malformed lengths, bare CR or LF, folded headers, control characters, spaces before the colon.
 *
 * @returns the answer to give, or undefined for a request that is fine
 */
export function framingFailure(req: IncomingMessage, headers: HeaderView): Failure | undefined {
  if (req.httpVersionMajor !== 1 || !speaksHttp(req)) return FAILURES.version;
  if (headers.names.length > MAX_HEADERS) return FAILURES.headersTooLarge;
  if (!isPath(req.url ?? '')) return FAILURES.target;
  const hosts = count(headers.names, 'host');
  if (hosts > 1 || (hosts === 0 && req.httpVersionMinor === 1)) return FAILURES.host;
  const coding = headers.get('transfer-encoding');
  // The parser refuses a repeated "chunked" and "chunked" that is not last, but would take "gzip, chunked" as plain.
  if (coding !== undefined && (req.httpVersionMinor === 0 || coding.toLowerCase() !== 'chunked')) {
    return FAILURES.transferEncoding;
  }
  if (count(headers.names, 'transfer-encoding') > 1) return FAILURES.transferEncoding;
  // h2c is offered by some clients on every first request, and by RFC 9110 may be ignored.
  const upgrade = headers.get('upgrade');
  if (upgrade !== undefined && upgrade.toLowerCase() !== 'h2c') return FAILURES.upgrade;
  return undefined;
}

/** Origin form only: `http://host/...`, `//host/...`, `/\host/...`, `*` and fragments name something else. */
function isPath(target: string): boolean {
  return target.startsWith('/') && target[1] !== '/' && target[1] !== '\\' && !target.includes('#');
}

function count(names: readonly string[], name: string): number {
  const first = names.indexOf(name);
  if (first === -1) return 0;
  return names.includes(name, first + 1) ? 2 : 1;
}

/** Declared length of the body in bytes; undefined when it is chunked; 0 when there is none. */
export function declaredLength(headers: HeaderView): number | undefined {
  const length = headers.get('content-length');
  if (length !== undefined) return Number(length);
  return headers.names.includes('transfer-encoding') ? undefined : 0;
}
