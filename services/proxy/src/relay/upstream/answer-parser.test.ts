import { describe, expect, it } from 'vitest';

import { UpstreamAnswerError, UpstreamClosedError } from '../errors.ts';
import type { UpstreamHead } from './answer-head.ts';
import { AnswerParser } from './answer-parser.ts';

interface Seen {
  heads: string[];
  headers: string[][];
  body: string;
  trailers: string[];
  complete: boolean;
  keepAliveMs: number;
  /** Bytes after the answer. */
  rest: string;
}

/** What a parser makes of these reads. */
function read(reads: readonly string[], { method = 'GET', ends = false } = {}): Seen {
  const heads: UpstreamHead[] = [];
  const parser = new AnswerParser((head) => heads.push(head));
  // Longer than any read and full of what a parser that reads too far would take for framing.
  const memory = Buffer.alloc(200_000, '\r\n\r\n0\r\n\r\n');
  let body = '';
  let rest = '';
  parser.expect(method);
  for (const text of reads) {
    const bytes = memory.write(text, 'latin1');
    const taken = parser.take(memory, bytes);
    for (let i = 0; i < parser.runs.length; i += 2) {
      body += parser.data.toString('latin1', parser.runs[i], parser.runs[i + 1]);
    }
    rest += memory.toString('latin1', taken, bytes);
    memory.fill('\r\n\r\n0\r\n\r\n');
  }
  if (ends) parser.end();
  const { trailers, complete, keepAliveMs } = parser;
  return {
    heads: heads.map(({ status, statusText }) => `${status} ${statusText}`),
    headers: heads.map(({ headers }) => headers.raw),
    body,
    trailers,
    complete,
    keepAliveMs,
    rest,
  };
}

const LONG = '"0123456789abcdef"'.repeat(3);

const whole: [
  name: string,
  text: string,
  expected: Partial<Seen>,
  options?: { ends: boolean; method?: string },
][] = [
  [
    'of counted length',
    'HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 12\r\n\r\nhello\r\nworld',
    {
      heads: ['200 OK'],
      headers: [['X-A', 'b', 'Content-Length', '12']],
      body: 'hello\r\nworld',
      keepAliveMs: 30_000,
    },
  ],
  [
    'in chunks',
    `HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\na\r\n${LONG.length.toString(16).toUpperCase()}\r\n${LONG}\r\n000\r\n\r\n`,
    { body: `a${LONG}`, trailers: [], keepAliveMs: 30_000 },
  ],
  [
    'in chunks with extensions and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c="d"\r\n\r\n\r\n0;last\r\nX-Sum: 1\r\nx-sum:2\r\n\r\n',
    { body: '\r\n', trailers: ['X-Sum', '1', 'x-sum', '2'] },
  ],
  [
    'after interim ones',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx',
    { heads: ['100 Continue', '103 Early Hints', '404 Not Found'], body: 'x' },
  ],
  [
    'without a body',
    'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
    { heads: ['204 No Content'], body: '', keepAliveMs: 30_000 },
  ],
  ['of length 0', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { body: '', keepAliveMs: 30_000 }],
  ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', { heads: ['200 '], body: 'x' }],
  [
    'with every kind of header value',
    "HTTP/1.1 200 \xfcber\r\nA:\r\nb:  two\t\r\n!#$%&'*+-.^_`|~9: \xff:x\r\nContent-Length: 1 \r\n\r\nx",
    {
      heads: ['200 \xfcber'],
      headers: [['A', '', 'b', 'two\t', "!#$%&'*+-.^_`|~9", '\xff:x', 'Content-Length', '1 ']],
      body: 'x',
    },
  ],
  [
    'that closes the connection',
    'HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAliveMs: 0 },
  ],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { body: 'x', keepAliveMs: 0 }],
  [
    'that says how long it waits',
    'HTTP/1.1 200 OK\r\nKeep-Alive: max=3, timeout=5\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAliveMs: 4000 },
  ],
  [
    'that does not wait',
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAliveMs: 0 },
  ],
  [
    'to HEAD',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    { body: '', keepAliveMs: 0 },
    { ends: false, method: 'HEAD' },
  ],
  [
    '304 that announces a body',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    { body: '', keepAliveMs: 0 },
  ],
  [
    'up to the end of the connection',
    'HTTP/1.1 200 OK\r\nA: b\r\n\r\n0\r\n\r\nall',
    { body: '0\r\n\r\nall', keepAliveMs: 0 },
    { ends: true },
  ],
];

describe('an answer', () => {
  it.each(whole)('%s is the same wherever it is cut', (_name, text, expected, options) => {
    const once = read([text], options);
    expect(once).toMatchObject({ ...expected, complete: true, rest: '' });
    for (let cut = 1; cut < text.length; cut++) {
      expect(read([text.slice(0, cut), text.slice(cut)], options)).toEqual(once);
    }
    expect(read(text.match(/[^]/g) ?? [], options)).toEqual(once);
  });

  it.each(whole)('%s is not complete at any place before its end', (_name, text, _expected, options) => {
    for (let cut = 0; cut < text.length; cut++) {
      expect(read([text.slice(0, cut)], { method: options?.method ?? 'GET' }).complete).toBe(false);
    }
  });

  it.each(whole.filter(([, , , options]) => options?.ends !== true))(
    '%s is cut where the connection ends before',
    (_name, text, _expected, options) => {
      for (let cut = 0; cut < text.length; cut++) {
        expect(() => read([text.slice(0, cut)], { ...options, ends: true })).toThrow(UpstreamClosedError);
      }
    },
  );

  it.each(whole.filter(([, , , options]) => options?.ends !== true))(
    '%s ends where it ends: what follows is left',
    (_name, text, _expected, options) => {
      const next = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
      expect(read([text + next], options)).toEqual({ ...read([text], options), rest: next });
    },
  );
});

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('what is no answer', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['an empty line first', `\r\n\r\n${OK}\r\n`],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a control character in the reason', 'HTTP/1.1 200 O\x00K\r\n\r\n'],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['bare LF', `${OK}A: b\nC: d\r\n\r\n`],
    ['a bare CR in a value', `${OK}A: b\rC: d\r\n\r\n`],
    ['NUL in a value', `${OK}A: b\x00\r\n\r\n`],
    ['a folded header', `${OK}A: b\r\n c\r\n\r\n`],
    ['a header without a colon', `${OK}A b\r\n\r\n`],
    ['a header without a name', `${OK}: b\r\n\r\n`],
    ['white space before the colon', `${OK}A : b\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    ['two equal lengths', `${OK}Content-Length: 1\r\ncontent-length: 1\r\n\r\n`],
    ['a list of lengths', `${OK}Content-Length: 1, 1\r\n\r\n`],
    ['a signed length', `${OK}Content-Length: +1\r\n\r\n`],
    ['a hexadecimal length', `${OK}Content-Length: 0x1\r\n\r\n`],
    ['an empty length', `${OK}Content-Length:\r\n\r\n`],
    ['a length beyond what can be counted', `${OK}Content-Length: 9999999999999999\r\n\r\n`],
    ['a length and chunks', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a coding nobody asked for', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['a coding that is not chunked', `${OK}Transfer-Encoding: identity\r\n\r\n`],
    ['chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a head that is too long', `${OK}A: ${'a'.repeat(65_536)}\r\n\r\n`],
    ['a head without end', `${OK}A: ${'a'.repeat(70_000)}`],
    ['interim answers without end', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(2000)],
    ['a chunk without a size', `${CHUNKED}\r\nabc`],
    ['a size that is no number', `${CHUNKED}xyz\r\n`],
    ['a signed size', `${CHUNKED}-1\r\n`],
    ['a size after white space', `${CHUNKED} 1\r\n`],
    ['a size before white space', `${CHUNKED}1 \r\n`],
    ['a size with a prefix', `${CHUNKED}0x1\r\n`],
    ['a size beyond what can be counted', `${CHUNKED}fffffffffffffff\r\n`],
    ['a size ended by LF', `${CHUNKED}1\na\r\n`],
    ['a size ended by CR', `${CHUNKED}1\ra\r\n`],
    ['a chunk longer than its size', `${CHUNKED}1\r\nab\r\n`],
    ['a chunk ended by LF', `${CHUNKED}1\r\na\n0\r\n\r\n`],
    ['a control character in an extension', `${CHUNKED}1;a\x01\r\n`],
    ['a line end in an extension', `${CHUNKED}1;a\n0\r\n`],
    ['extensions without end', `${CHUNKED}1;${'a'.repeat(20_000)}`],
    ['a trailer without a colon', `${CHUNKED}0\r\nabc\r\n\r\n`],
    ['trailers without end', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(12_000)}`],
  ])('is refused wherever it is cut: %s', (_name, text) => {
    expect(() => read([text])).toThrow(UpstreamAnswerError);
    const step = text.length > 1000 ? 997 : 1;
    for (let cut = step; cut < text.length; cut += step) {
      expect(() => read([text.slice(0, cut), text.slice(cut)])).toThrow(UpstreamAnswerError);
    }
  });

  it('does not take the bytes before it along', () => {
    const parser = new AnswerParser(() => undefined);
    parser.expect('GET');
    const data = Buffer.from(`${CHUNKED}4\r\nwell\r\nnonsense`);
    expect(() => parser.take(data, data.length)).toThrow(UpstreamAnswerError);
    expect(data.toString('latin1', ...(parser.runs as [number, number]))).toBe('well');
  });
});
