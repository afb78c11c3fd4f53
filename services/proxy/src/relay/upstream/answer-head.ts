import { UpstreamAnswerError } from '../errors.ts';
import { HeaderView } from '../header-view.ts';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^[ \t]*(\d{1,15})[ \t]*$/;

/** Well before the usual minute of the other side, which makes connections that die when they are used rare. */
const KEEP_ALIVE_MS = 30_000;
/** What the other side announces is shortened by this, for the way there. */
const ANNOUNCED_MARGIN_MS = 1000;

const TAB = 9;
const SPACE = 32;

/** Head of an answer: text is latin1, so every byte value survives. */
export interface UpstreamHead {
  readonly status: number;
  readonly statusText: string;
  /** In the upstream's case, order and number. */
  readonly headers: HeaderView;
  /** Number of bytes that follow; `chunked`; or `close`: up to the end of the connection. 0 for an interim answer. */
  readonly framing: number | 'chunked' | 'close';
  /** How long the connection may wait for another request after this answer; 0: it must not carry another one. */
  readonly keepAliveMs: number;
}

/**
 * Reads the head of an answer to a request with this method.
 *
 * @param text status line and header lines, each with its CRLF, without the empty line
 * @throws {UpstreamAnswerError} for whatever the grammar does not allow, and where length and coding contradict
 */
export function parseHead(text: string, method: string): UpstreamHead {
  const end = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, end));
  if (line === null) throw new UpstreamAnswerError('the status line is invalid');
  const status = Number(line[2]);
  const headers = new HeaderView(parseFields(text, end + 2));
  const bodyless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  const framing = bodyFraming(headers);
  // Where a body is spoken of that must not come, a broken upstream might send it all the same.
  const ends = bodyless ? method !== 'HEAD' && (framing === 'close' || framing === 0) : framing !== 'close';
  return {
    status,
    statusText: line[3] ?? '',
    headers,
    framing: bodyless ? 0 : framing,
    keepAliveMs: ends && line[1] === '1' && !closes(headers) ? keepAliveMs(headers) : 0,
  };
}

/**
 * Header or trailer lines as a flat list of names and values. Without folding and without white space around names:
 * both are read differently by different parties.
 *
 * @throws {UpstreamAnswerError}
 */
export function parseFields(text: string, from: number): string[] {
  const fields: string[] = [];
  for (let at = from; at < text.length;) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    const name = text.slice(at, Math.max(at, colon));
    if (colon > end || !TOKEN.test(name)) throw new UpstreamAnswerError('a header name is invalid');
    let start = colon + 1;
    while (text.charCodeAt(start) === SPACE || text.charCodeAt(start) === TAB) start++;
    const value = text.slice(start, end);
    if (!VALUE.test(value)) throw new UpstreamAnswerError('a header value is invalid');
    fields.push(name, value);
    at = end + 2;
  }
  return fields;
}

/** RFC 9112 section 6.3, for an answer that may have a body. Contradictions are refused, never resolved. */
function bodyFraming(headers: HeaderView): number | 'chunked' | 'close' {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (coding !== undefined) {
    // Anything besides "chunked" was not asked for, and could not be passed on: the header is for this hop only.
    if (
      length !== undefined ||
      coding.trim().toLowerCase() !== 'chunked' ||
      repeated(headers, 'transfer-encoding')
    ) {
      throw new UpstreamAnswerError('the transfer encoding is invalid');
    }
    return 'chunked';
  }
  if (length === undefined) return 'close';
  const digits = LENGTH.exec(length)?.[1];
  if (digits === undefined || repeated(headers, 'content-length')) {
    throw new UpstreamAnswerError('the content length is invalid');
  }
  return Number(digits);
}

function repeated({ names }: HeaderView, name: string): boolean {
  return names.includes(name, names.indexOf(name) + 1);
}

function closes(headers: HeaderView): boolean {
  const connection = headers.get('connection');
  if (connection === undefined || connection === 'keep-alive') return false;
  return headers.all('connection').some((value) => /(?:^|[ \t,])close(?:$|[ \t,])/i.test(value));
}

function keepAliveMs(headers: HeaderView): number {
  const announced = /(?:^|[ \t,])timeout=(\d+)/i.exec(headers.get('keep-alive') ?? '')?.[1];
  if (announced === undefined) return KEEP_ALIVE_MS;
  return Math.max(0, Math.min(KEEP_ALIVE_MS, Number(announced) * 1000 - ANNOUNCED_MARGIN_MS));
}
