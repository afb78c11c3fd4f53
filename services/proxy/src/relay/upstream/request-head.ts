import { UpstreamRequestError } from '../errors.ts';

/** A request to be sent upstream. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path with its query, verbatim. */
  readonly path: string;
  /** Flat name, value list without `host` and what describes the framing. */
  readonly headers: readonly string[];
  /** Bytes of the body; undefined: not known, it is sent in chunks. */
  readonly length: number | undefined;
}

/** Methods of which every server expects a body: others may take one for the next request. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH']);

const LINE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The connection may carry another request after this one. */
export function leavesReusable({ method, length }: UpstreamRequest): boolean {
  return WITH_BODY.has(method) || (length === 0 && method !== 'HEAD');
}

/**
 * The head as sent, with the empty line.
 *
 * @throws {UpstreamRequestError} when a header would break out of its line
 */
export function requestHead(request: UpstreamRequest, host: string): string {
  const { method, path, headers, length } = request;
  const connection = leavesReusable(request) ? 'keep-alive' : 'close';
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const line = `${headers[i]}: ${headers[i + 1]}`;
    if (!LINE.test(line)) throw new UpstreamRequestError('a header of the request is invalid');
    text += `${line}\r\n`;
  }
  if (length === undefined) return `${text}transfer-encoding: chunked\r\n\r\n`;
  return length > 0 || WITH_BODY.has(method) ? `${text}content-length: ${length}\r\n\r\n` : `${text}\r\n`;
}
