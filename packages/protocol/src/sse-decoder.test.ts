import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SseDecoder } from './sse-decoder.ts';
import type { SseDecoderOptions, SseEvent } from './sse-decoder.ts';

/** A decoder and the events it has passed on so far. */
function collect(options: SseDecoderOptions = {}): { decoder: SseDecoder; events: SseEvent[] } {
  const events: SseEvent[] = [];
  return { decoder: new SseDecoder({ accept: (event) => void events.push(event) }, options), events };
}

function decode(chunks: Uint8Array[], maxEventBytes?: number): { events: SseEvent[]; valid: boolean } {
  const { decoder, events } = collect(maxEventBytes === undefined ? {} : { maxEventBytes });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return { events, valid: decoder.valid };
}

/** The rules of the standard, written down as plainly as possible, for a whole valid stream. */
function decodePlainly(stream: string): SseEvent[] {
  const events: SseEvent[] = [];
  const pattern = /([^\r\n]*)(\r\n|\r|\n)/g;
  let event = '';
  let data: string[] = [];
  for (const match of stream.replace(/^\uFEFF/, '\0\0\0').matchAll(pattern)) {
    const line = (match[1] ?? '').replace(/^\0\0\0/, '');
    const end = Buffer.byteLength(
      stream.replace(/^\uFEFF/, '\0\0\0').slice(0, match.index + match[0].length),
    );
    if (line === '') {
      if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n'), end });
      event = '';
      data = [];
      continue;
    }
    const [, name = line, value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
  }
  return events;
}

const DELTA = '{"type":"content_block_delta"}';

describe('SseDecoder', () => {
  it.each<[title: string, stream: string, events: [event: string, data: string][]]>([
    ['reads an event', 'event: ping\ndata: {}\n\n', [['ping', '{}']]],
    ['names an event without a name message', 'data: 1\n\n', [['message', '1']]],
    [
      'takes CRLF and CR as line ends',
      'event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\r',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'takes mixed line ends',
      'event: a\rdata: 1\n\r\ndata: 2\r\n\n',
      [
        ['a', '1'],
        ['message', '2'],
      ],
    ],
    ['joins data lines by a line feed', 'data: a\ndata:b\ndata\n\n', [['message', 'a\nb\n']]],
    ['removes one space after the colon only', 'data:  a\n\n', [['message', ' a']]],
    ['passes over comments', ': keep-alive\n\ndata: 1\n: in between\n\n', [['message', '1']]],
    ['passes over id and retry', 'id: 7\nretry: 100\ndata: 1\n\n', [['message', '1']]],
    ['does not dispatch an event without data', 'event: a\n\ndata: 1\n\n', [['message', '1']]],
    ['dispatches empty data', 'data\n\n', [['message', '']]],
    [
      'forgets the name after each event',
      'event: a\ndata: 1\n\ndata: 2\n\n',
      [
        ['a', '1'],
        ['message', '2'],
      ],
    ],
    ['passes over blank lines between events', '\n\n\ndata: 1\n\n\n\n', [['message', '1']]],
    ['drops a byte order mark at the start', '\uFEFFdata: 1\n\n', [['message', '1']]],
    ['decodes UTF-8', 'event: größe\ndata: 😀 ü\n\n', [['größe', '😀 ü']]],
    ['keeps an unknown event', 'event: future\ndata: x\n\n', [['future', 'x']]],
    [
      'does not take a look-alike for the name before',
      'event: Ã¼\ndata: 1\n\nevent: ü\ndata: 2\n\n',
      [
        ['Ã¼', '1'],
        ['ü', '2'],
      ],
    ],
    ['gives nothing for nothing', '', []],
  ])('%s', (_title, stream, expected) => {
    const { events, valid } = decode([Buffer.from(stream)]);
    expect(events.map(({ event, data }) => [event, data])).toEqual(expected);
    expect(valid).toBe(true);
  });

  it('gives the same events and offsets wherever the bytes are cut', () => {
    const stream = Buffer.from(
      `\uFEFFevent: größe\r\ndata: 😀\r\n\r\n: c\r\rdata: a\rdata: b\r\revent: x\ndata: ${DELTA}\n\n\r\ndata: ü\n\r\n`,
    );
    const whole = decode([stream]);
    expect(whole.valid).toBe(true);
    expect(whole.events).toHaveLength(4);
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        expect(decode(chunks), `cut at ${first} and ${second}`).toEqual(whole);
      }
    }
    expect(decode(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('agrees with a plain reading of the standard on any valid stream', () => {
    const piece = fc.constantFrom(
      'data',
      'event',
      'id',
      'retry',
      ':',
      ': ',
      ' ',
      'a',
      'ü',
      '😀',
      '\uFEFF',
      '\r',
      '\n',
      '\r\n',
      '\n\n',
      DELTA,
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(200), { maxLength: 6 }),
        (pieces, cuts) => {
          const stream = pieces.join('');
          const bytes = Buffer.from(stream);
          const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
          const chunks = at
            .slice(1)
            .map((end, index) => bytes.subarray(at[index] ?? 0, Math.max(end, at[index] ?? 0)));
          const { events } = decode(chunks);
          expect(events.filter((event) => event.unterminated !== true)).toEqual(decodePlainly(stream));
        },
      ),
      { seed: 20261123, numRuns: 2000 },
    );
  });

  it('tells where an event ends in the stream', () => {
    const { decoder, events } = collect();
    decoder.push(Buffer.from('\uFEFFdata: ü\r\n\r'));
    expect(events).toEqual([]);
    decoder.push(Buffer.from('\n'));
    expect(events.map(({ end }) => end)).toEqual([15]);
  });

  it.each<[title: string, stream: string, last: Partial<SseEvent> | undefined]>([
    ['without its blank line', 'data: 1\n\nevent: a\ndata: 2\n', { event: 'a', data: '2', end: 26 }],
    ['without any line end', 'data: 1\n\ndata: 2', { event: 'message', data: '2', end: 16 }],
    ['after its name', 'data: 1\n\nevent: a\n', undefined],
    ['inside a field name', 'data: 1\n\nda', undefined],
  ])('delivers a last event cut %s as unterminated, and the stream is invalid', (_title, stream, last) => {
    const { events, valid } = decode([Buffer.from(stream)]);
    expect(valid).toBe(false);
    expect(events[0]).toEqual({ event: 'message', data: '1', end: 9 });
    expect(events[1]).toEqual(last && { ...last, unterminated: true });
  });

  it.each<[title: string, stream: Buffer]>([
    ['invalid UTF-8', Buffer.from([...Buffer.from('data: '), 0xff, 0x0a, 0x0a])],
    ['an overlong form', Buffer.from([...Buffer.from(': '), 0xc0, 0x80, 0x0a, 0x0a])],
    ['a character cut by a line end', Buffer.from([...Buffer.from('data: '), 0xe2, 0x82, 0x0a, 0x0a])],
    ['a character cut by the end of the stream', Buffer.from([...Buffer.from('data: 1\n\n'), 0xf0, 0x9f])],
    ['an unknown field', Buffer.from('data: 1\nfoo: bar\n\n')],
    ['an HTML page', Buffer.from('<html>\n<body>Bad gateway</body>\n\n')],
  ])('finds %s invalid wherever the bytes are cut', (_title, stream) => {
    expect(decode([stream]).valid).toBe(false);
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)]).valid, `cut at ${cut}`).toBe(false);
    }
  });

  it.each([1, 7, 1000])('drops an event over the limit and goes on after it, in chunks of %i', (size) => {
    const stream = Buffer.from(`data: 1\n\ndata: ${'x'.repeat(300)}\ndata: y\n\ndata: 2\n\n`);
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    const { events, valid } = decode(chunks, 100);
    expect(events.map(({ data }) => data)).toEqual(['1', '2']);
    expect(valid).toBe(false);
  });

  it('does not take what is left of an over-long line for the end of its event', () => {
    const bytes = Array.from(Buffer.from('data: 12345\ndata: y\n\ndata: 2\n\n'), (byte) =>
      Uint8Array.of(byte),
    );
    expect(decode(bytes, 10).events.map(({ data }) => data)).toEqual(['2']);
  });

  it('takes a large event in small chunks in linear time', () => {
    const { decoder, events } = collect();
    const part = Buffer.alloc(1024, 'x');
    decoder.push(Buffer.from('data: '));
    for (let index = 0; index < 8 * 1024; index++) decoder.push(part);
    decoder.push(Buffer.from('\n\n'));
    expect(events[0]?.data).toHaveLength(8 * 1024 * 1024);
  });
});
