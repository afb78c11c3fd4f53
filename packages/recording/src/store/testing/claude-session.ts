import type { Random } from './random.ts';

/** One turn: the request body and the answer, as assembled from the stream. */
export interface Turn {
  request: Buffer;
  response: Buffer;
}

type Json = Record<string, unknown>;

const CACHED = { cache_control: { type: 'ephemeral' } };

/**
 * A session as Claude Code sends it: messages before system and tools, `cache_control` on the last message of a turn
 * only, a system message that is a block array at first and a string later, one tool round per turn.
 *
 * @param options.text language of so many characters
 * @param options.growth bytes each turn adds, about
 */
export function claudeSession(options: {
  random: Random;
  text: (characters: number) => string;
  turns: number;
  growth: number;
}): Turn[] {
  const { random, text, turns, growth } = options;
  const sessionId = `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
  const rest = {
    system: [
      {
        type: 'text',
        text: `x-anthropic-billing-header: cc_version=2.1.330.${random.hex(3)}; cc_entrypoint=cli;`,
      },
      { type: 'text', text: 'You are Claude Code, the official CLI.', ...CACHED },
      { type: 'text', text: text(14_000), ...CACHED },
    ],
    tools: Array.from({ length: 12 }, (_, i) => tool(`Tool${i}`, text)),
    metadata: {
      user_id: JSON.stringify({ device_id: random.hex(64), account_uuid: '', session_id: sessionId }),
    },
    max_tokens: 128_000,
    thinking: { type: 'adaptive', display: 'omitted' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'high' },
    stream: true,
  };
  const history: Json[] = [firstMessage(text), { role: 'system', content: text(1500) }];
  const result: Turn[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const body = { model: 'claude-opus-5-5', messages: withCacheMarks(history), ...rest };
    const answer = assistantBlocks({ random, text, growth });
    result.push({ request: Buffer.from(JSON.stringify(body)), response: assembled(answer, random) });
    const toolUse = answer.at(-1) as Json;
    const output = {
      tool_use_id: toolUse['id'],
      type: 'tool_result',
      content: text(Math.round(growth * 0.6)),
    };
    history.push({ role: 'assistant', content: answer }, { role: 'user', content: [output] });
  }
  return result;
}

function firstMessage(text: (characters: number) => string): Json {
  const reminder = `<system-reminder>\n${text(3000)}\n</system-reminder>`;
  return {
    role: 'user',
    content: [
      { type: 'text', text: reminder },
      { type: 'text', text: text(300) },
    ],
  };
}

function tool(name: string, text: (characters: number) => string): Json {
  const properties = Object.fromEntries(
    ['path', 'pattern', 'limit', 'mode'].map((key) => [key, { type: 'string', description: text(120) }]),
  );
  return { name, description: text(3000), input_schema: { type: 'object', properties, required: ['path'] } };
}

/** The last message carries the mark; a system message that does is a block array instead of a string. */
function withCacheMarks(history: readonly Json[]): Json[] {
  return history.map((message, index) => {
    if (index < history.length - 1) return message;
    const { content } = message;
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Json[]);
    return { ...message, content: [...blocks.slice(0, -1), { ...blocks.at(-1), ...CACHED }] };
  });
}

function assistantBlocks(options: {
  random: Random;
  text: (characters: number) => string;
  growth: number;
}): Json[] {
  const { random, text, growth } = options;
  const thinking = {
    type: 'thinking',
    thinking: text(Math.round(growth * 0.1)),
    signature: random.base64(300),
  };
  const words = { type: 'text', text: text(200 + random.below(400)) };
  const input = {
    path: `/home/user/${random.hex(6)}.ts`,
    old: text(Math.round(growth * 0.1)),
    new: text(Math.round(growth * 0.1)),
  };
  const toolUse = { type: 'tool_use', id: `toolu_${random.base64(18)}`, name: 'Tool3', input };
  return random.chance(0.4) ? [thinking, words, toolUse] : [words, toolUse];
}

function assembled(content: readonly Json[], random: Random): Buffer {
  const usage = {
    input_tokens: 3,
    cache_read_input_tokens: random.below(100_000),
    output_tokens: random.below(2000),
  };
  const head = {
    id: `msg_${random.base64(18)}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
  };
  return Buffer.from(
    JSON.stringify({ ...head, content, stop_reason: 'tool_use', stop_sequence: null, usage }),
  );
}
