import type { HeaderView } from './header-view.ts';
import type { ForwardDecision } from './ports.ts';

/** RFC 9110 section 7.6.1, and the proxy credentials of section 11.7: meant for this hop only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Also not sent on: `host` names the upstream there, `expect` is answered here, and the length is framing. */
const REQUEST_ONLY = new Set(['host', 'expect', 'trailer', 'content-length', ...HOP_BY_HOP]);

const NONE: ReadonlySet<string> = new Set();

/**
 * Headers for the upstream: the client's in their case, order and number, without those of the connection and of the
 * framing and those the access decision strips, followed by those it adds.
 */
export function requestHeaders(
  headers: HeaderView,
  { strip, add }: ForwardDecision['outboundHeaders'],
): string[] {
  const { raw, names } = headers;
  const listed = connectionOptions(headers.get('connection') === undefined ? [] : headers.all('connection'));
  const outbound: string[] = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? '';
    const dropped = REQUEST_ONLY.has(name) || strip.has(name) || listed.has(name);
    if (!dropped) outbound.push(raw[2 * i] ?? '', raw[2 * i + 1] ?? '');
  }
  for (const [name, value] of add) outbound.push(name, value);
  return outbound;
}

/** The end-to-end part of an upstream's head. */
export interface AnswerHead {
  /** Flat, in the upstream's case and order. */
  readonly headers: string[];
  /** Value of `content-length`. */
  readonly length: number | undefined;
  readonly eventStream: boolean;
}

/**
 * @param canTrail false where no trailers can follow; a `trailer` header is then dropped
 */
export function answerHead({ raw, names: received }: HeaderView, canTrail: boolean): AnswerHead {
  const headers: string[] = [];
  const names: string[] = [];
  let listed: ReadonlySet<string> = NONE;
  let length: number | undefined;
  let eventStream = false;
  let trailer = false;
  for (let i = 0; i < received.length; i++) {
    const lower = received[i] as string;
    const value = raw[2 * i + 1] as string;
    if (lower === 'connection') listed = union(listed, connectionOptions([value]));
    if (HOP_BY_HOP.has(lower)) continue;
    if (lower === 'content-length') length = Number(value);
    else if (lower === 'content-type') eventStream = value.toLowerCase().startsWith('text/event-stream');
    else if (lower === 'trailer') trailer = true;
    headers.push(raw[2 * i] as string, value);
    names.push(lower);
  }
  if (listed.size > 0 || (trailer && (!canTrail || length !== undefined))) {
    const keepTrailer = canTrail && length === undefined;
    return {
      headers: without(headers, names, keepTrailer ? listed : union(listed, TRAILER)),
      length,
      eventStream,
    };
  }
  return { headers, length, eventStream };
}

const TRAILER: ReadonlySet<string> = new Set(['trailer']);

function without(headers: string[], names: string[], dropped: ReadonlySet<string>): string[] {
  return headers.filter((_, i) => {
    const name = names[i >> 1] ?? '';
    return name === 'content-length' || !dropped.has(name);
  });
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  if (a.size === 0) return b;
  return b.size === 0 ? a : new Set([...a, ...b]);
}

/** Lower-case header names a Connection header lists; `keep-alive` and `close` name no header of interest. */
function connectionOptions(values: readonly string[]): ReadonlySet<string> {
  let options: Set<string> | undefined;
  for (const value of values) {
    const lower = value.toLowerCase();
    if (lower === 'keep-alive' || lower === 'close') continue;
    options ??= new Set();
    for (const option of lower.split(',')) options.add(option.trim());
  }
  return options ?? NONE;
}
