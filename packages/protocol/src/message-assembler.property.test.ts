import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseJson } from './json-value.ts';
import { MessageAssembler } from './message-assembler.ts';
import type { AssembledMessage } from './message-assembler.ts';
import { SseDecoder } from './sse-decoder.ts';
import { blockStart, blockStop, messageDelta, messageStart, messageStop } from './testing/stream.ts';
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
  const decoder = new SseDecoder();
  const assembler = new MessageAssembler();
  for (const chunk of chunks) for (const event of decoder.push(chunk)) assembler.accept(event);
  for (const event of decoder.end()) assembler.accept(event);
  return assembler.result();
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
