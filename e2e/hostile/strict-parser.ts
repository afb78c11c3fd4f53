/** How RFC 9112, read strictly, takes the first bytes of a connection. */
export type Reading =
  | { readonly kind: 'request'; readonly target: string; readonly body: string; readonly rest: string }
  /** It ends where `rest` begins, but has not exactly one host. */
  | { readonly kind: 'refused'; readonly rest: string }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' };

const MALFORMED: Reading = { kind: 'malformed' };
const INCOMPLETE: Reading = { kind: 'incomplete' };
const TOKEN = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`;
/** Section 3 allows more than one space between the parts. */
const START = new RegExp(String.raw`^(${TOKEN}) +([\x21-\x7e]+) +HTTP/1\.([01])$`);
const FIELD = new RegExp(String.raw`^(${TOKEN}):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$`);
const CHUNK = /^([0-9a-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/i;

/**
 * Reads one request. A second opinion on what the gateway's parser does, and so written for clarity alone.
 *
 * @param bytes one character per byte
 */
export function readRequest(bytes: string): Reading {
  // Empty lines before a request are to be ignored, and a single LF may be taken for the end of a line (section 2.2).
  // A single CR there is part of no request either: whether it is skipped moves no boundary between two.
  const text = bytes.replace(/^[\r\n]+/, '');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return /[\n\0]/.test(text.replaceAll('\r\n', '')) ? MALFORMED : INCOMPLETE;
  const [start = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const [, , target = '', minor] = START.exec(start) ?? [];
  const fields = lines.flatMap((line) => FIELD.exec(line) ?? []);
  if (minor === undefined || fields.length !== 3 * lines.length) return MALFORMED;
  const all = (name: string): string[] =>
    fields.filter((_, index) => index % 3 === 2 && fields[index - 1]?.toLowerCase() === name);
  const rest = text.slice(headEnd + 4);
  const framing = { lengths: all('content-length'), codings: all('transfer-encoding'), minor };
  const reading = readBody({ target, rest }, framing);
  return reading.kind === 'request' && all('host').length !== 1 ? { ...reading, kind: 'refused' } : reading;
}

function readBody(
  { target, rest }: { target: string; rest: string },
  { lengths, codings, minor }: { lengths: string[]; codings: string[]; minor: string },
): Reading {
  if (lengths.length + codings.length > 1) return MALFORMED;
  if (codings.length === 1) {
    return minor === '1' && codings[0]?.toLowerCase() === 'chunked' ? readChunks(target, rest) : MALFORMED;
  }
  const [length = '0'] = lengths;
  if (!/^\d{1,15}$/.test(length)) return MALFORMED;
  const end = Number(length);
  if (rest.length < end) return INCOMPLETE;
  return { kind: 'request', target, body: rest.slice(0, end), rest: rest.slice(end) };
}

function readChunks(target: string, text: string): Reading {
  let [body, at] = ['', 0];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const line = lineEnd === -1 ? text.slice(at) : text.slice(at, lineEnd);
    if (lineEnd === -1) return /[\n\0]/.test(line) ? MALFORMED : INCOMPLETE;
    const size = Number.parseInt(CHUNK.exec(line)?.[1] ?? 'none', 16);
    if (Number.isNaN(size)) return MALFORMED;
    at = lineEnd + 2;
    if (size === 0) return readTrailers({ target, body }, text.slice(at));
    const end = text.slice(at + size, at + size + 2);
    if (!'\r\n'.startsWith(end)) return MALFORMED;
    if (end.length < 2) return INCOMPLETE;
    body += text.slice(at, at + size);
    at += size + 2;
  }
}

function readTrailers(request: { target: string; body: string }, text: string): Reading {
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === at) return { kind: 'request', ...request, rest: text.slice(at + 2) };
    if (lineEnd === -1) return INCOMPLETE;
    if (!FIELD.test(text.slice(at, lineEnd))) return MALFORMED;
    at = lineEnd + 2;
  }
}
