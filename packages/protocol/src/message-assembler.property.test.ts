import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseJson } from './json-value.ts';
import { MessageAssembler } from './message-assembler.ts';
import type { AssembledMessage } from './message-assembler.ts';
import { SseDecoder } from './sse-decoder.ts';
import type { EventSink } from './sse-decoder.ts';
import {
  blockDelta,
  blockStart,
  blockStop,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
} from './testing/stream.ts';
import type { StreamEvent } from './testing/stream.ts';

type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

const anyText = fc.array(
  fc.constantFrom(
    'a',
    ' ',
    '"',
    '\\',
    '\n',
    '\u0001',
    'ü',
    '\u2028',
    '😀',
    '\ud83d',
    '\ude00',
    '\\u00',
    '{',
    '"}}',
  ),
  { maxLength: 30 },
);
const text = anyText.map((pieces) => pieces.join(''));
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text }),
  fc.record({ type: fc.constant('thinking' as const), thinking: text, signature: fc.base64String() }),
  fc.record({
    type: fc.constant('tool_use' as const),
    id: fc.constant('toolu_1'),
    name: fc.constant('Edit'),
    input: fc.dictionary(text, fc.jsonValue({ depthSize: 'small' }), { maxKeys: 4 }),
  }),
);
/** How a server might write its JSON: compact, spaced, escaped, padded; and how it cuts text into deltas. */
const style = fc.record({
  spell: fc.constantFrom<(value: unknown) => string>(
    (value) => JSON.stringify(value),
    (value) =>
      JSON.stringify(value).replaceAll(
        /[^ -~]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    (value) => `${JSON.stringify(value).slice(0, -1)}   }  `,
    (value) => JSON.stringify(value, undefined, ' ').replaceAll('\n', ''),
  ),
  deltaLengths: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
  chunkLengths: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
});

/** Cuts into parts whose lengths repeat. */
function cut<T extends { length: number; slice(from: number, to: number): T }>(
  whole: T,
  lengths: number[],
): T[] {
  const parts: T[] = [];
  for (let position = 0, part = 0; position < whole.length; part++) {
    const length = lengths[part % lengths.length] ?? 1;
    parts.push(whole.slice(position, position + length));
    position += length;
  }
  return parts;
}

function deltasOf(content: Block, lengths: number[]): { start: Record<string, unknown>; deltas: object[] } {
  if (content.type === 'text') {
    const deltas = cut(content.text, lengths).map((part) => ({ type: 'text_delta', text: part }));
    return { start: { ...content, text: '' }, deltas };
  }
  if (content.type === 'thinking') {
    const deltas: object[] = cut(content.thinking, lengths).map((part) => ({
      type: 'thinking_delta',
      thinking: part,
      estimated_tokens: null,
    }));
    deltas.push({ type: 'signature_delta', signature: content.signature });
    return { start: { ...content, thinking: '', signature: '' }, deltas };
  }
  const json = JSON.stringify(content.input);
  const deltas = cut(json, lengths).map((part) => ({ type: 'input_json_delta', partial_json: part }));
  return { start: { ...content, input: {} }, deltas };
}

function streamOf(
  content: Block[],
  { spell, deltaLengths }: { spell: (value: unknown) => string; deltaLengths: number[] },
): Buffer {
  const events: StreamEvent[] = [messageStart];
  for (const [index, item] of content.entries()) {
    const { start, deltas } = deltasOf(item, deltaLengths);
    events.push(blockStart(index, start));
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
    events.push(blockStop(index));
  }
  events.push(messageDelta('end_turn', { output_tokens: 9 }), messageStop);
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${spell(event)}\n\n`).join(''));
}

function assemble(chunks: Uint8Array[]): AssembledMessage {
  const assembler = new MessageAssembler();
  const decoder = new SseDecoder(assembler);
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return assembler.result();
}

/** Answers whether the decoder found the stream valid. */
function decodeTo(sink: EventSink, chunks: readonly Buffer[]): boolean {
  const decoder = new SseDecoder(sink);
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return decoder.valid;
}

function sseText(data: string): string {
  return `event: content_block_delta\ndata: ${data}\n\n`;
}

const OPENING = [
  messageStart,
  blockStart(0, { type: 'text', text: '' }),
  blockStart(1, { type: 'thinking', thinking: '', signature: '' }),
  textDelta(0, 'a'),
]
  .map((event) => sse(event))
  .join('');

/** What may stand between deltas, or be one of another kind or spelling. */
const OTHER_EVENTS = [
  sse({ type: 'ping' }),
  sse({ type: 'future', a: 1 }),
  sse(blockStop(0)),
  sse(blockDelta(1, { type: 'signature_delta', signature: 's' })),
  sse(textDelta(2, 'no such block')),
  ': a comment\n\n',
  '\n\n\n',
  `id: 1\n${sse(textDelta(0, 'with an id'))}`,
  `data: ${textFrame('no name')}\n\n`,
  `event: error\ndata: ${textFrame('named error')}\n\n`,
  sseText(textFrame('x').replace(':0,', ':0,\ndata: ')),
  sseText(textFrame('x').replace(':0,', ':0,\n')),
  sseText(textFrame('x').replace('}}', '}\n}')),
  sseText(textFrame('x')).replaceAll('\n', '\r\n'),
  sseText(textFrame('cut off')).slice(0, -1),
];

function delta(before: string, after: string): fc.Arbitrary<string> {
  return fc
    .record({
      index: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
      literal: fc
        .array(
          fc.constantFrom(
            'a',
            'b',
            'c',
            'd',
            'b c',
            'e f',
            '\\n',
            '\\n',
            '\\t',
            '\\\\',
            '\\"',
            '\\',
            '"',
            'ü',
            '😀',
            '\\ud83d',
            '\\ude00',
            '\\u00',
            '\n',
          ),
          { maxLength: 6 },
        )
        .map((pieces) => pieces.join('')),
      padding: fc.constantFrom('', '', '  ', '\t'),
      end: fc.constantFrom('', '', ' '),
    })
    .map(({ index, literal, padding, end }) =>
      sseText(
        `{"type":"content_block_delta","index":${index},"delta":${before}${literal}${after}${padding}}${end}`,
      ),
    );
}

function textFrame(literal: string): string {
  return `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${literal}"}}`;
}

describe('a streamed message', () => {
  it('is assembled to the message it was made of, however it is spelled and cut', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), style, (content, { chunkLengths, ...how }) => {
        const result = assemble(cut<Buffer>(streamOf(content, how), chunkLengths));
        expect(result).toMatchObject({ complete: true, valid: true, usage: { outputTokens: 9 } });
        const carried = JSON.parse(Buffer.from(result.json ?? '').toString('utf8'));
        expect(carried.content).toEqual(content);
        expect(carried).not.toHaveProperty('_stream');
      }),
      { seed: 20261123, numRuns: 400 },
    );
  });

  it('is valid only if every delta is valid JSON', () => {
    const literal = fc
      .array(fc.constantFrom('a', '\\', '"', 'u', '00', '41', '\t', 'n', '}', 'ü'), { maxLength: 6 })
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(literal, { maxLength: 5 }), (literals) => {
        const frames = ['x', ...literals].map(textFrame);
        const stream = [messageStart, blockStart(0, { type: 'text', text: '' })].map((event) =>
          JSON.stringify(event),
        );
        const data = [...stream, ...frames, JSON.stringify(messageStop)];
        const result = assemble([
          Buffer.from(data.map((line) => `event: content_block_delta\ndata: ${line}\n\n`).join('')),
        ]);
        expect(result.valid).toBe(frames.every((frame) => parseJson(frame) !== undefined));
        expect(parseJson(result.json ?? '')).toBeDefined();
      }),
      { seed: 20261123, numRuns: 3000 },
    );
  });
});

/** Streams as text, mostly of deltas in the usual spelling, with anything that could be taken for one in between. */
const streamText = fc
  .array(
    fc.oneof(
      { weight: 20, arbitrary: delta('{"type":"text_delta","text":"', '"}') },
      { weight: 2, arbitrary: delta('{"type":"thinking_delta","thinking":"', '","estimated_tokens":null}') },
      { weight: 1, arbitrary: delta('{"type":"text_delta","text":"', '","more":1}') },
      { weight: 2, arbitrary: fc.constantFrom(...OTHER_EVENTS) },
    ),
    { maxLength: 30 },
  )
  .map((events) => `${OPENING}${events.join('')}${sse(messageDelta('end_turn', {}))}${sse(messageStop)}`);

describe('runs of deltas', () => {
  it(
    'amount to what they do event by event, whatever they hold and however they are cut',
    { timeout: 30_000 },
    () => {
      let taken = 0;
      let escaped = 0;
      fc.assert(
        fc.property(
          streamText,
          fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }),
          fc.constantFrom(undefined, 300, 900),
          (stream, lengths, maxLength) => {
            const options = maxLength === undefined ? {} : { maxLength };
            const chunks = cut<Buffer>(Buffer.from(stream), lengths);
            const byEvent = new MessageAssembler(options);
            const byEventValid = decodeTo({ accept: (event) => byEvent.accept(event) }, chunks);
            const byRun = new MessageAssembler(options);
            const byRunValid = decodeTo(
              {
                accept: (event) => byRun.accept(event),
                acceptRun: (lines, position) => {
                  const end = byRun.acceptRun(lines, position);
                  if (end > position) taken++;
                  if (lines.text.slice(position, end).includes('\\')) escaped++;
                  return end;
                },
              },
              chunks,
            );
            expect(byRunValid).toBe(byEventValid);
            expect(byRun.firstContentEnd).toBe(byEvent.firstContentEnd);
            expect(byRun.result()).toEqual(byEvent.result());
          },
        ),
        { seed: 20261123, numRuns: 2000 },
      );
      expect(taken).toBeGreaterThan(600);
      expect(escaped).toBeGreaterThan(300);
    },
  );

  it('are not searched anew from every event', { timeout: 10_000 }, () => {
    const frames = `${sseText(textFrame('x'))}${sse({ type: 'ping' })}`.repeat(50_000);
    expect(assemble([Buffer.from(`${OPENING}${frames}${sse(messageStop)}`)]).valid).toBe(true);
  });
});
