import type { TextPool } from './random-text.ts';

/** What the stand-in is asked to answer, in the header `x-bench`. */
export interface AnswerOrder {
  /**
   * `json`: a whole message. `stream`: so many deltas, each written by itself. `burst`: the same in one write.
   * `silent`: no answer, not even a head.
   */
  readonly mode: 'json' | 'stream' | 'burst' | 'silent';
  /** Answers of one seed are equal. */
  readonly seed: number;
  readonly deltas: number;
  /** Milliseconds between two deltas of a `stream`; 0: as fast as they can be written. */
  readonly paceMs: number;
}

export function orderHeader({ mode, seed, deltas, paceMs }: AnswerOrder): string {
  return [mode, seed, deltas, paceMs].join(' ');
}

const MODES = ['json', 'stream', 'burst', 'silent'] as const;

/** A request without the header, a probe whether the stand-in is there, gets an empty stream. */
export function readOrder(header: string): AnswerOrder {
  const [mode = '', seed = 0, deltas = 0, paceMs = 0] = header.split(' ');
  return {
    mode: MODES.find((known) => known === mode) ?? 'burst',
    seed: Number(seed),
    deltas: Number(deltas),
    paceMs: Number(paceMs),
  };
}

const DELTA_CHARACTERS = 11;
const JSON_CHARACTERS = 620;

/** Text of the answer, which the next turn of a session sends back. */
export function answerText(pool: TextPool, order: AnswerOrder): string {
  return pool.line(order.seed, order.mode === 'json' ? JSON_CHARACTERS : order.deltas * DELTA_CHARACTERS);
}

/** The message of a `json` answer. */
export function jsonAnswer(pool: TextPool, order: AnswerOrder): string {
  const content = [{ type: 'text', text: answerText(pool, order) }];
  return JSON.stringify({
    ...messageHead(order.seed),
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...USAGE, output_tokens: 155 },
  });
}

/** The events of a streamed answer: the start, one per delta, the end. */
export function streamEvents(pool: TextPool, order: AnswerOrder): string[] {
  const text = answerText(pool, order);
  const start = {
    ...messageHead(order.seed),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: USAGE,
  };
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
  const events = [
    event('message_start', JSON.stringify({ type: 'message_start', message: start })) +
      event('content_block_start', JSON.stringify(block)) +
      event('ping', '{"type": "ping"}'),
  ];
  for (let i = 0; i < order.deltas; i++) {
    const part = text.slice(i * DELTA_CHARACTERS, (i + 1) * DELTA_CHARACTERS);
    events.push(
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${part}"}}\n\n`,
    );
  }
  const delta = { stop_reason: 'end_turn', stop_sequence: null };
  const usage = { ...USAGE, output_tokens: 2 * order.deltas };
  events.push(
    event('content_block_stop', '{"type":"content_block_stop","index":0}') +
      event('message_delta', JSON.stringify({ type: 'message_delta', delta, usage })) +
      event('message_stop', '{"type":"message_stop"}'),
  );
  return events;
}

function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}

const USAGE = {
  input_tokens: 3,
  cache_creation_input_tokens: 2100,
  cache_read_input_tokens: 18_500,
  cache_creation: { ephemeral_5m_input_tokens: 2100, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1,
  service_tier: 'standard',
};

function messageHead(seed: number): Record<string, unknown> {
  const id = `msg_01${String(seed).padStart(22, '0')}`;
  return { id, type: 'message', role: 'assistant', model: 'claude-opus-5-5' };
}
