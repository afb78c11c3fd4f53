import type { Random } from '../fixtures/random.ts';

/** One request that no server may take for a good one. */
export interface Malformed {
  /** What is wrong with it. */
  readonly kind: string;
  /** One character per byte. */
  readonly bytes: string;
  /** The statuses that are a right answer to it. */
  readonly statuses: readonly number[];
  /**
   * False where nobody can tell for sure where the request ends: nothing after it on the connection may be taken
   * for a request.
   */
  readonly framed: boolean;
}

/** The parts of a request; whatever is absent is as it should be. */
interface Parts {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Header lines; one for the host is put among them unless `hosts` says otherwise. */
  readonly headers?: readonly string[];
  readonly hosts?: readonly string[];
  readonly body?: string;
}

type Make = (random: Random, target: string) => string;

const BAD = [400];

const LENGTHS = [
  '+4',
  '-4',
  '0x4',
  '4 4',
  '4,4',
  '4, 5',
  '',
  '4x',
  'x',
  '4.0',
  '4e1',
  '1_0',
  '"4"',
  '4;',
  '4\t4',
];
const LONG_LENGTHS = [
  '99999999999999999999',
  '18446744073709551616',
  '18446744073709551620',
  '1'.repeat(200),
];
const CODINGS = [
  'gzip, chunked',
  'chunked, identity',
  'chunked, chunked',
  'xchunked',
  'chunkedx',
  'chunk',
  'identity',
  '',
  'chunked;q=1',
  '"chunked"',
  'chunked gzip',
  'chunked,',
  ',chunked',
  '\vchunked',
  'chunked\v',
  'chunked\f',
  'chunked\xa0',
  'c\0hunked',
];
const HEADERS = [
  'X : y',
  'X\t: y',
  'X y',
  ': y',
  'X',
  'X(Y): z',
  'X@Y: z',
  'X\xe9: z',
  'X: y\r\n folded',
  'X: y\r\n\tfolded',
  'X: y\rContent-Length: 3',
  'X: y\nContent-Length: 3',
  'X: y\n',
  'Content-Length\0: 3',
  'Content-Length\r: 3',
  'Transfer-Encoding\x0b: chunked',
];
const TARGETS = [
  'http://evil.example/v1/messages',
  'https://api.anthropic.com/v1/messages',
  'file:///etc/passwd',
  '//evil.example/v1/messages',
  '/\\evil.example/v1/messages',
  '*',
  'evil.example:443',
  'v1/messages',
  '?x',
  '/v1/messages#fragment',
];
/** Characters no target may hold; a space ends it. */
const TARGET_BYTES = [
  '\0',
  '\t',
  ' ',
  '\x01',
  '\x1f',
  '\x7f',
  '\x80',
  '\xe9',
  '\xff',
  '\r',
  '\n',
  '\v',
  '\f',
];
const VERSIONS = [
  'HTTP/2.0',
  'HTTP/1.2',
  'HTTP/0.9',
  'HTTP/3.0',
  'HTTP/1',
  'HTTP/1.10',
  'HTTP/01.1',
  'HTTP/1.1x',
  'HTTP/ 1.1',
  'HTTP /1.1',
  'HTTP/-1.1',
  'HTTP/1,1',
  'http/1.1',
  'HTTPS/1.1',
  'ICE/1.0',
  'RTSP/1.0',
];
const METHODS = ['FOO', 'post', 'Get', 'GE\0T', 'G@T', 'POST,', 'PRI', 'GET/', 'SSH-2.0', 'XPOST', 'P\xd6ST'];
const HOSTS = [
  'a/b',
  'a@b',
  'user:pass@a',
  'a b',
  'a,b',
  'a\\b',
  'a%00b',
  'a%2fb',
  'a..b',
  '-a',
  'a:b',
  'a:99999',
  'a:1:2',
  '[::1',
  '::1',
  '[x]',
  '[::1]x',
  '[fe80::1%25eth0]',
  '',
  'a?b',
  'a#b',
  "a'b",
  'a"b',
  '<script>',
  '${x}',
  '{{x}}',
  '1.2.3',
  '1.2.3.999',
  'b\xfccher.example',
  '..',
  `${'a'.repeat(64)}.example`,
  'a.'.repeat(200),
];
const CHUNKS = [
  '4\nabcd\r\n0\r\n\r\n',
  '4\r\nabcd\n0\r\n\r\n',
  '4\rabcd\r\n0\r\n\r\n',
  '+4\r\nabcd\r\n0\r\n\r\n',
  '-4\r\nabcd\r\n0\r\n\r\n',
  '0x4\r\nabcd\r\n0\r\n\r\n',
  'fffffffffffffffff\r\nabcd',
  '10000000000000004\r\nabcd\r\n0\r\n\r\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  '4 \r\nabcd\r\n0\r\n\r\n',
  ' 4\r\nabcd\r\n0\r\n\r\n',
  '4_\r\nabcd\r\n0\r\n\r\n',
  '\r\n4\r\nabcd\r\n0\r\n\r\n',
  'g\r\nabcd\r\n0\r\n\r\n',
  '4;a\nb\r\nabcd\r\n0\r\n\r\n',
  '4;a=\0\r\nabcd\r\n0\r\n\r\n',
  '4\r\nabcd\r\n0\r\nContent-Length: 5\r\n\r\n',
  '4\r\nabcd\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
  '4\r\nabcd\r\n0\r\nX: y\nZ: 1\r\n\r\n',
  '4\r\nabcd\r\n0\r\nX : y\r\n\r\n',
  '4\r\nabcd\r\n0\r\n X: y\r\n\r\n',
  '4\r\nabcd\r\n0\nX: y\r\n\r\n',
];
const NOT_HTTP = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'SSH-2.0-OpenSSH_9.9\r\n',
  'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '{"model":"claude"}\r\n\r\n',
  'GET /v1/models\r\n\r\n',
  'GET\t/v1/models HTTP/1.1\r\nHost: a\r\n\r\n',
  ' GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /v1/models HTTP/1.1 \r\nHost: a\r\n\r\n',
  'GET /v1/models HTTP/1.1\r\n Host: a\r\n\r\n',
];
const BODY = '{"a":1}';

/** Each kind with its right statuses, whether what follows is unambiguous, and how one of it is made. */
const KINDS: readonly (readonly [string, readonly number[], boolean, Make])[] = [
  ['a malformed length', BAD, false, (random, target) => withLength(random, target, random.pick(LENGTHS))],
  [
    'an overflowing length',
    BAD,
    false,
    (random, target) => withLength(random, target, random.pick(LONG_LENGTHS)),
  ],
  [
    'two lengths',
    BAD,
    false,
    (random, target) => {
      const lengths = [`Content-Length: ${random.below(9)}`, `content-length: ${random.below(9)}`];
      return request(random, { method: 'POST', target, headers: lengths, body: BODY });
    },
  ],
  [
    'a length and a coding',
    BAD,
    false,
    (random, target) => {
      const framing = [`Content-Length: ${random.below(60)}`, 'Transfer-Encoding: chunked'];
      const headers = random.chance(0.5) ? framing : framing.toReversed();
      return request(random, { method: 'POST', target, headers, body: '0\r\n\r\n' });
    },
  ],
  [
    'a coding other than chunked',
    BAD,
    false,
    (random, target) =>
      request(random, {
        method: 'POST',
        target,
        headers: [`${random.pick(['Transfer-Encoding', 'transfer-encoding'])}: ${random.pick(CODINGS)}`],
        body: '7\r\n{"a":1}\r\n0\r\n\r\n',
      }),
  ],
  [
    'two codings',
    BAD,
    false,
    (random, target) => {
      const second = random.pick(['chunked', 'identity', 'gzip', '', 'x']);
      const headers = ['Transfer-Encoding: chunked', `Transfer-encoding: ${second}`];
      return request(random, { method: 'POST', target, headers, body: '7\r\n{"a":1}\r\n0\r\n\r\n' });
    },
  ],
  [
    'a coding in HTTP/1.0',
    BAD,
    false,
    (random, target) =>
      request(random, {
        method: 'POST',
        target,
        version: 'HTTP/1.0',
        headers: ['Transfer-Encoding: chunked', 'Connection: keep-alive'],
        body: '7\r\n{"a":1}\r\n0\r\n\r\n',
      }),
  ],
  [
    'a malformed header',
    BAD,
    false,
    (random, target) => request(random, { target, headers: [random.pick(HEADERS)] }),
  ],
  [
    'a control character in a header',
    BAD,
    false,
    (random, target) => {
      const code = random.pick([0, 1, 2, 7, 8, 11, 12, 14, 27, 31, 127]);
      return request(random, { target, headers: [`${random.word()}: a${String.fromCodePoint(code)}b`] });
    },
  ],
  [
    'line ends of one character',
    BAD,
    false,
    (random, target) => request(random, { target }).replaceAll('\r\n', random.pick(['\n', '\r'])),
  ],
  [
    'one line end of one character',
    BAD,
    false,
    (random, target) => {
      const lines = request(random, { target, headers: ['A: b', 'C: d'] }).split('\r\n');
      const at = 1 + random.below(lines.length - 2);
      return `${lines.slice(0, at).join('\r\n')}${random.pick(['\n', '\r'])}${lines.slice(at).join('\r\n')}`;
    },
  ],
  ['a target that is no path', BAD, true, (random) => request(random, { target: random.pick(TARGETS) })],
  [
    'a byte no target may hold',
    BAD,
    false,
    (random, target) => request(random, { target: `${target}${random.pick(TARGET_BYTES)}x` }),
  ],
  [
    'a wrong version',
    BAD,
    false,
    (random, target) => request(random, { target, version: random.pick(VERSIONS) }),
  ],
  [
    'an unknown method',
    BAD,
    false,
    (random, target) => request(random, { target, method: random.pick(METHODS) }),
  ],
  ['no host', BAD, true, (random, target) => request(random, { target, hosts: [] })],
  [
    'two hosts',
    BAD,
    true,
    (random, target) =>
      request(random, { target, hosts: ['a.example', random.pick(['a.example', 'b.example', ''])] }),
  ],
  [
    'an invalid host',
    BAD,
    true,
    (random) => request(random, { target: '/v1/models', hosts: [random.pick(HOSTS)] }),
  ],
  [
    'a malformed chunk',
    BAD,
    false,
    (random, target) =>
      request(random, {
        method: 'POST',
        target: target.replace(/^[^?]*/, '/v1/messages'),
        headers: ['Transfer-Encoding: chunked'],
        body: `${random.chance(0.5) ? '5\r\nfirst\r\n' : ''}${random.pick(CHUNKS)}`,
      }),
  ],
  ['what is not HTTP at all', BAD, false, (random) => random.pick(NOT_HTTP)],
  ['random bytes', BAD, false, (random) => `\x80${random.bytes(1 + random.below(200))}\r\n\r\n`],
  [
    'an upgrade',
    BAD,
    true,
    (random, target) => {
      const protocol = random.pick(['websocket', 'TLS/1.0', 'h2', 'HTTP/3.0', 'x']);
      return request(random, { target, headers: ['Connection: Upgrade', `Upgrade: ${protocol}`] });
    },
  ],
  [
    'an expectation',
    [417],
    true,
    (random, target) =>
      request(random, { target, headers: [`Expect: ${random.pick(['magic', '200-ok', 'x=y'])}`] }),
  ],
  [
    'CONNECT',
    [400, 405],
    false,
    (random) => {
      const target = random.pick(['evil.example:443', '127.0.0.1:22', '/v1/messages', 'a']);
      return request(random, { method: 'CONNECT', target });
    },
  ],
  [
    'too many headers',
    [431],
    true,
    (random, target) =>
      request(random, { target, headers: Array.from({ length: 257 + random.below(900) }, () => 'a:b') }),
  ],
];

/** Rare, because each is some 70 KB: one in so many. */
const BOMBS_ONE_IN = 250;

/**
 * The next malformed request.
 *
 * @param mark goes into the target where there is one, to be recognised wherever it turns up
 */
export function malformed(random: Random, mark: string): Malformed {
  const target = `${random.pick(PATHS)}?m=${mark}`;
  if (random.below(BOMBS_ONE_IN) === 0) return bomb(random, target);
  const [kind, statuses, framed, make] = random.pick(KINDS);
  return { kind, bytes: make(random, target), statuses, framed };
}

const PATHS = [
  '/v1/messages',
  '/v1/models',
  '/v1/messages/count_tokens',
  '/health',
  '/token-stats',
  '/',
  '/nothing',
];

function bomb(random: Random, target: string): Malformed {
  const long = 'a'.repeat(66_000 + random.below(30_000));
  const bytes = random.pick([
    () => request(random, { target, headers: [`X: ${long}`] }),
    () => request(random, { target, headers: [`${long}: x`] }),
    () => request(random, { target: `${target}${long}` }),
    () => request(random, { target, headers: Array.from({ length: 12_000 }, () => 'a:b') }),
  ])();
  return { kind: 'too long a head', bytes, statuses: [431], framed: false };
}

function withLength(random: Random, target: string, length: string): string {
  return request(random, { method: 'POST', target, headers: [`Content-Length: ${length}`], body: 'abcd' });
}

/** Writes a request with harmless headers around those that matter. */
function request(random: Random, parts: Parts): string {
  const { method = 'GET', target = '/', version = 'HTTP/1.1', headers = [], hosts = ['a.example'] } = parts;
  const lines = hosts.map((host) => `${random.pick(['Host', 'host', 'HOST'])}: ${host}`);
  for (const header of headers) lines.splice(random.chance(0.5) ? lines.length : 1, 0, header);
  for (let count = random.below(4); count > 0; count -= 1) {
    lines.splice(random.below(lines.length + 1), 0, `x-${random.word()}: ${random.word()}`);
  }
  return `${method} ${target} ${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${parts.body ?? ''}`;
}
