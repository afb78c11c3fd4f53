/** Spells a value as JSON text; the default is JSON.stringify. */
type Spell = (value: unknown) => string;

/** The data of an event. */
export interface StreamEvent {
  type: string;
  [member: string]: unknown;
}

/** One server-sent event with JSON data, named after its type. */
export function sse(data: StreamEvent, spell: Spell = JSON.stringify): string {
  return `event: ${data.type}\ndata: ${spell(data)}\n\n`;
}

export const usage = {
  input_tokens: 3,
  cache_creation_input_tokens: 120,
  cache_read_input_tokens: 4000,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 100 },
  output_tokens: 1,
  service_tier: 'standard',
  inference_geo: 'global',
};

export const messageStart = {
  type: 'message_start',
  message: {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  },
};

export const messageStop = { type: 'message_stop' };

export function blockStart(index: number, block: Record<string, unknown>) {
  return { type: 'content_block_start', index, content_block: block };
}

export function blockDelta(index: number, delta: Record<string, unknown>) {
  return { type: 'content_block_delta', index, delta };
}

export function blockStop(index: number) {
  return { type: 'content_block_stop', index };
}

export function textDelta(index: number, text: string) {
  return blockDelta(index, { type: 'text_delta', text });
}

export function inputDelta(index: number, json: string) {
  return blockDelta(index, { type: 'input_json_delta', partial_json: json });
}

export function messageDelta(stopReason: string | null, counts: Record<string, unknown>) {
  return {
    type: 'message_delta',
    delta: { stop_reason: stopReason, stop_sequence: null },
    usage: counts,
  };
}
