import { describe, expect, it } from 'vitest';

import { MessageAssembler } from './message-assembler.ts';
import type { AssembledMessage } from './message-assembler.ts';
import { SseDecoder } from './sse-decoder.ts';
import {
  blockDelta,
  blockStart,
  blockStop,
  inputDelta,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
  usage,
} from './testing/stream.ts';
import type { StreamEvent } from './testing/stream.ts';

function assemble(stream: string, maxLength?: number): AssembledMessage {
  const assembler = new MessageAssembler(maxLength === undefined ? {} : { maxLength });
  const decoder = new SseDecoder(assembler);
  decoder.push(Buffer.from(stream));
  decoder.end();
  return assembler.result();
}

function assembleAll(events: StreamEvent[]): AssembledMessage {
  return assemble(events.map((event) => sse(event)).join(''));
}

function contentOf(events: StreamEvent[]): unknown {
  const { json = '{}' } = assembleAll([messageStart, ...events, messageStop]);
  return JSON.parse(json).content;
}

function parsed({ json }: AssembledMessage): Record<string, unknown> {
  return JSON.parse(json ?? 'null');
}

const THINKING = { type: 'thinking', thinking: '', signature: '' };
const TOOL = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} };
const WEB_RESULT = {
  type: 'web_search_tool_result',
  tool_use_id: 's',
  content: [{ url: 'https://example.com' }],
};
const CITATION = { type: 'char_location', cited_text: 'x', start_char_index: 0 };
const FALLBACK = { type: 'fallback', from: { model: 'claude-fable-5-2' }, to: { model: 'claude-opus-5' } };

describe('MessageAssembler', () => {
  it('assembles a whole answer', () => {
    const result = assembleAll([
      messageStart,
      { type: 'ping' },
      blockStart(0, THINKING),
      blockDelta(0, { type: 'thinking_delta', thinking: 'Let me ' }),
      blockDelta(0, { type: 'thinking_delta', thinking: 'see.' }),
      blockDelta(0, { type: 'signature_delta', signature: 'SIG==' }),
      blockStop(0),
      blockStart(1, { type: 'text', text: '' }),
      textDelta(1, 'Hello '),
      textDelta(1, 'wörld 😀'),
      blockStop(1),
      blockStart(2, TOOL),
      inputDelta(2, ''),
      inputDelta(2, '{"command": "ls'),
      inputDelta(2, ' -l"}'),
      blockStop(2),
      messageDelta('tool_use', { output_tokens: 42 }),
      messageStop,
    ]);
    expect(parsed(result)).toEqual({
      ...messageStart.message,
      content: [
        { type: 'thinking', thinking: 'Let me see.', signature: 'SIG==' },
        { type: 'text', text: 'Hello wörld 😀' },
        { ...TOOL, input: { command: 'ls -l' } },
      ],
      stop_reason: 'tool_use',
      usage: { ...usage, output_tokens: 42 },
    });
    expect(result).toMatchObject({
      complete: true,
      valid: true,
      messageId: 'msg_01',
      model: 'claude-opus-5-5',
      stopReason: 'tool_use',
      toolCallCount: 1,
      usage: { inputTokens: 3, outputTokens: 42, cacheWrite5mTokens: 20, cacheWrite1hTokens: 100 },
    });
  });

  it.each<[title: string, events: StreamEvent[], content: unknown]>([
    [
      'keeps a block that is complete from its start',
      [blockStart(0, WEB_RESULT), blockStop(0)],
      [WEB_RESULT],
    ],
    ['keeps a fallback block without deltas', [blockStart(0, FALLBACK), blockStop(0)], [FALLBACK]],
    [
      'keeps a block of an unknown type',
      [blockStart(0, { type: 'hologram', depth: 3 }), blockStop(0)],
      [{ type: 'hologram', depth: 3 }],
    ],
    [
      'continues text that the start event began',
      [blockStart(0, { type: 'text', text: 'a' }), textDelta(0, 'b')],
      [{ type: 'text', text: 'ab' }],
    ],
    [
      'collects citations into an absent list',
      [
        blockStart(0, { type: 'text', text: '' }),
        blockDelta(0, { type: 'citations_delta', citation: CITATION }),
        textDelta(0, 'x'),
        blockDelta(0, { type: 'citations_delta', citation: { n: 2 } }),
      ],
      [{ type: 'text', text: 'x', citations: [CITATION, { n: 2 }] }],
    ],
    [
      'collects citations into a list',
      [
        blockStart(0, { type: 'text', text: '', citations: [{ n: 1 }] }),
        blockDelta(0, { type: 'citations_delta', citation: { n: 2 } }),
      ],
      [{ type: 'text', text: '', citations: [{ n: 1 }, { n: 2 }] }],
    ],
    [
      'collects citations in place of null',
      [
        blockStart(0, { type: 'text', text: '', citations: null }),
        blockDelta(0, { type: 'citations_delta', citation: { n: 2 } }),
      ],
      [{ type: 'text', text: '', citations: [{ n: 2 }] }],
    ],
    [
      'assigns the content of a compaction',
      [
        blockStart(0, { type: 'compaction', content: null }),
        blockDelta(0, { type: 'compaction_delta', content: 'sum', encrypted_content: 'E' }),
      ],
      [{ type: 'compaction', content: 'sum', encrypted_content: 'E' }],
    ],
    ['keeps the empty input of a tool without arguments', [blockStart(0, TOOL), inputDelta(0, '')], [TOOL]],
    [
      'joins escapes that are split over tool input deltas',
      [blockStart(0, TOOL), inputDelta(0, String.raw`{"a":"\ud83d`), inputDelta(0, String.raw`\ude00"}`)],
      [{ ...TOOL, input: { a: '😀' } }],
    ],
    [
      'follows blocks whose deltas interleave',
      [
        blockStart(0, { type: 'text', text: '' }),
        blockStart(1, TOOL),
        textDelta(0, 'a'),
        inputDelta(1, '{"x"'),
        textDelta(0, 'b'),
        textDelta(0, 'c'),
        inputDelta(1, ':1}'),
      ],
      [
        { type: 'text', text: 'abc' },
        { ...TOOL, input: { x: 1 } },
      ],
    ],
    ['knows an answer without content', [], []],
  ])('%s', (_title, events, content) => {
    expect(contentOf(events)).toEqual(content);
    expect(assembleAll([messageStart, ...events, messageStop])).toMatchObject({
      complete: true,
      valid: true,
    });
  });

  it('sums the token estimates of hidden thinking', () => {
    const result = assembleAll([
      messageStart,
      blockStart(0, THINKING),
      ...[50, 50, null, null, 1234, null].map((tokens) =>
        blockDelta(0, { type: 'thinking_delta', thinking: 'x', estimated_tokens: tokens }),
      ),
      messageStop,
    ]);
    expect(parsed(result)).toMatchObject({
      content: [{ thinking: 'xxxxxx' }],
      _stream: { estimatedThinkingTokens: [{ index: 0, tokens: 1334 }] },
    });
    expect(result.valid).toBe(true);
  });

  it('keeps the spelling of the wire', () => {
    const start =
      '{"type":"message_start","message":{"id":"m","big":12345678901234567890,"role":"\\u0061ssistant","content":[],"usage":{"input_tokens":1.0e1}}}';
    const block =
      '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","input":{},"x":1.50}}';
    const result = assemble(
      `event: message_start\ndata: ${start}\n\nevent: content_block_start\ndata: ${block}\n\n${sse(inputDelta(0, '{"a" : 1.00,\n"b":1e400}'))}${sse(messageStop)}`,
    );
    expect(result.json).toBe(
      '{"id":"m","big":12345678901234567890,"role":"\\u0061ssistant","content":[{"type":"tool_use","input":{"a" : 1.00,\n"b":1e400},"x":1.50}],"usage":{"input_tokens":1.0e1}}',
    );
  });

  it('keeps lone surrogates', () => {
    const { json = '' } = assembleAll([
      messageStart,
      blockStart(0, { type: 'text', text: '' }),
      textDelta(0, 'a\ud83d'),
      textDelta(0, 'b'),
      blockStart(1, TOOL),
      inputDelta(1, '{"a":"\ude00"}'),
      messageStop,
    ]);
    const carried = JSON.parse(Buffer.from(json).toString('utf8'));
    expect(carried.content).toEqual([
      { type: 'text', text: 'a\ud83db' },
      { ...TOOL, input: { a: '\ude00' } },
    ]);
  });

  it('puts unknown fields of message_delta on the message', () => {
    const delta = {
      type: 'message_delta',
      delta: { stop_reason: 'refusal', stop_details: { category: 'cyber' }, container: null },
      usage: { output_tokens: 2, cache_read_input_tokens: null, iterations: [{ type: 'message' }] },
      context_management: { applied_edits: [] },
    };
    const message = parsed(assembleAll([messageStart, delta, messageStop]));
    expect(message).toEqual({
      ...messageStart.message,
      stop_reason: 'refusal',
      stop_details: { category: 'cyber' },
      container: null,
      usage: { ...usage, output_tokens: 2, iterations: [{ type: 'message' }] },
      context_management: { applied_edits: [] },
    });
  });

  it('does not let a later null hide a stop reason', () => {
    const result = assembleAll([
      messageStart,
      messageDelta('end_turn', { output_tokens: 5 }),
      messageDelta(null, { output_tokens: 9 }),
      messageStop,
    ]);
    expect(parsed(result)).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 9 } });
    expect(result.stopReason).toBe('end_turn');
  });

  it('names the model that took over after a fallback', () => {
    const result = assembleAll([messageStart, blockStart(0, FALLBACK), messageStop]);
    expect(result.model).toBe('claude-opus-5');
    expect(parsed(result)['model']).toBe('claude-opus-5');
  });

  it('keeps what has no place in the message, in order', () => {
    const stream = [
      sse(messageStart),
      'event: future\ndata: {"a": 1.0}\n\n',
      sse(blockStart(0, { type: 'text', text: '' })),
      sse(blockDelta(0, { type: 'hologram_delta', z: 1 })),
      sse(textDelta(0, 'a')),
      sse({ ...textDelta(0, 'b'), more: 1 }),
      sse(textDelta(0, 'c')),
      sse({ more: 2, ...textDelta(0, 'd') }),
      sse({ more: 2, ...textDelta(0, 'e') }),
      'event: note\ndata: plain text\n\n',
      'event: list\ndata: [1]\n\n',
      sse({ type: 'message_stop', metrics: 1 }),
    ].join('');
    const result = assemble(stream);
    expect(parsed(result)).toMatchObject({
      content: [{ type: 'text', text: 'abcde' }],
      _stream: {
        events: [
          { at: 1, event: 'future', data: { a: 1 } },
          { at: 3, event: 'content_block_delta', data: blockDelta(0, { type: 'hologram_delta', z: 1 }) },
          { at: 5, event: 'content_block_delta', data: { ...textDelta(0, 'b'), more: 1 } },
          { at: 7, event: 'content_block_delta', data: { ...textDelta(0, 'd'), more: 2 } },
          { at: 8, event: 'content_block_delta', data: { ...textDelta(0, 'e'), more: 2 } },
          { at: 9, event: 'note', text: 'plain text' },
          { at: 10, event: 'list', data: [1] },
          { at: 11, event: 'message_stop', data: { type: 'message_stop', metrics: 1 } },
        ],
      },
    });
    expect(result.json).toContain('{"a": 1.0}');
    expect(result).toMatchObject({ complete: true, valid: true });
  });

  it('assigns the last signature and keeps the event that replaced one', () => {
    const first = blockDelta(0, { type: 'signature_delta', signature: 'A' });
    const second = blockDelta(0, { type: 'signature_delta', signature: 'B' });
    const result = assembleAll([messageStart, blockStart(0, THINKING), first, second, messageStop]);
    expect(parsed(result)).toMatchObject({
      content: [{ signature: 'B' }],
      _stream: { events: [{ at: 3, event: 'content_block_delta', data: second }] },
    });
  });

  it('reports an error inside the stream and keeps what came before it', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const result = assembleAll([
      messageStart,
      blockStart(0, { type: 'text', text: '' }),
      textDelta(0, 'partial'),
      error,
    ]);
    expect(result).toMatchObject({
      complete: false,
      valid: true,
      errorType: 'overloaded_error',
      errorMessage: 'Overloaded',
      usage: { inputTokens: 3, outputTokens: 1 },
    });
    expect(parsed(result)).toMatchObject({
      content: [{ text: 'partial' }],
      _stream: { events: [{ at: 3, event: 'error', data: error }] },
    });
  });

  it.each([
    ['with a body', '{"type":"error","error":{"type":"api_error","message":"x"}}', ['api_error', 'x', true]],
    ['of another shape', '{"oops":1}', ['error', undefined, true]],
    ['in plain text', 'upstream gone', ['error', 'upstream gone', false]],
  ] as const)('reports an error before any message %s', (_title, data, [errorType, errorMessage, isJson]) => {
    const result = assemble(`event: error\ndata: ${data}\n\n`);
    expect(result.json).toBe(isJson ? data : undefined);
    expect(result).toMatchObject({ complete: false, valid: isJson, errorType });
    expect(result.errorMessage).toBe(errorMessage);
  });

  it('gives a partial message where message_stop is missing', () => {
    const result = assembleAll([messageStart, blockStart(0, TOOL), inputDelta(0, '{"a":"b')]);
    expect(result).toMatchObject({ complete: false, valid: true, toolCallCount: 1 });
    expect(parsed(result)).toMatchObject({
      content: [TOOL],
      _stream: { partialInput: [{ index: 0, text: '{"a":"b' }] },
    });
  });

  it('does not mistake the torn end of a cut stream for an event', () => {
    const whole =
      sse(messageStart) + sse(blockStart(0, { type: 'text', text: '' })) + sse(textDelta(0, 'abc'));
    const result = assemble(whole.slice(0, -20));
    expect(parsed(result)).toMatchObject({ content: [{ text: '' }] });
    expect(parsed(result)).not.toHaveProperty('_stream');
    expect(result.valid).toBe(false);
  });

  it.each<[title: string, frames: string[]]>([
    ['a delta without message', [sse(textDelta(0, 'x'))]],
    ['a delta without block', [sse(messageStart), sse(textDelta(0, 'x'))]],
    [
      'a delta after the end of its block',
      [sse(messageStart), sse(blockStart(0, TOOL)), sse(blockStop(0)), sse(inputDelta(0, '1'))],
    ],
    [
      'a delta like the ones before after the end of its block',
      [
        sse(messageStart),
        sse(blockStart(0, THINKING)),
        ...['a', 'b'].map((thinking) => sse(blockDelta(0, { type: 'thinking_delta', thinking }))),
        sse(blockStop(0)),
        sse(blockDelta(0, { type: 'thinking_delta', thinking: 'c' })),
      ],
    ],
    ['a block out of order', [sse(messageStart), sse(blockStart(1, TOOL))]],
    ['the end of no block', [sse(messageStart), sse(blockStop(0))]],
    ['a second message', [sse(messageStart), sse(messageStart)]],
    ['a message_start without message', ['event: message_start\ndata: {"type":"message_start"}\n\n']],
    ['a message_delta before the message', [sse(messageDelta('end_turn', {}))]],
    ['a block without a body', [sse(messageStart), sse({ type: 'content_block_start' })]],
    [
      'a message with content of its own',
      [sse({ ...messageStart, message: { ...messageStart.message, content: [1] } })],
    ],
    ['equal keys', ['event: message_stop\ndata: {"type":"message_stop","type":"message_stop"}\n\n']],
    [
      'equal keys in usage',
      [sse(messageStart), 'event: message_delta\ndata: {"type":"message_delta","usage":{"a":1,"a":2}}\n\n'],
    ],
    ['torn JSON in an event', ['event: message_start\ndata: {"type":"mess\n\n']],
  ])('finds a stream with %s invalid', (_title, frames) => {
    expect(assemble(frames.join('')).valid).toBe(false);
  });

  it('follows usage but keeps no text beyond its limit', () => {
    const events = [messageStart, blockStart(0, { type: 'text', text: '' })];
    const more = Array.from({ length: 50 }, () => textDelta(0, 'x'.repeat(50)));
    const end = [
      messageDelta('end_turn', { output_tokens: 77 }),
      { type: 'error', error: { type: 'api_error', message: 'late' } },
      messageStop,
    ];
    const result = assemble([...events, ...more, ...end].map((event) => sse(event)).join(''), 2000);
    expect(result).toMatchObject({
      json: undefined,
      complete: true,
      valid: false,
      stopReason: 'end_turn',
      errorType: 'api_error',
      usage: { outputTokens: 77 },
    });
  });

  it.each<[title: string, events: StreamEvent[], position: number | undefined]>([
    ['the first delta', [messageStart, blockStart(0, TOOL), inputDelta(0, '{'), inputDelta(0, '}')], 3],
    [
      'the first start where no delta came',
      [messageStart, blockStart(0, FALLBACK), blockStart(1, FALLBACK)],
      2,
    ],
    ['nothing before there is any', [messageStart], undefined],
  ])('takes %s as the first content', (_title, events, position) => {
    const assembler = new MessageAssembler();
    new SseDecoder(assembler).push(Buffer.from(events.map((event) => sse(event)).join('')));
    const until = events.slice(0, position).map((event) => sse(event));
    expect(assembler.firstContentEnd).toBe(position && Buffer.byteLength(until.join('')));
  });
});
