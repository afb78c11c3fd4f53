import type { AnswerOrder } from './answers.ts';
import { answerText } from './answers.ts';
import type { Random } from '../fixtures/random.ts';
import type { TextPool } from './random-text.ts';

type Json = Record<string, unknown>;

/** How bodies of a load are made. */
export interface BodyShape {
  /** Bytes of the first body, about. */
  readonly bytes: number;
  /** Bytes each further turn adds, about. */
  readonly growth: number;
  readonly stream: boolean;
}

/** Largest system prompt with tools; what a body has beyond it is history. */
const PROGRAM_BYTES = 64_000;
const EXCHANGE_BYTES = 8000;
const CACHED = { cache_control: { type: 'ephemeral' } };

/**
 * A conversation as Claude Code sends it: the history before system and tools, `cache_control` on the last message
 * only, one tool round per turn. Two sessions share no content.
 */
export class BenchSession {
  readonly id: string;
  readonly #shape: BodyShape;
  readonly #pool: TextPool;
  readonly #random: Random;
  readonly #rest: Json;
  readonly #history: Json[];

  constructor(shape: BodyShape, pool: TextPool, random: Random) {
    this.#shape = shape;
    this.#pool = pool;
    this.#random = random;
    this.id = `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
    const small = shape.bytes < 8000;
    const program = small ? 0 : Math.min(PROGRAM_BYTES, shape.bytes * 0.8);
    this.#rest = this.#programPart(program);
    this.#history = [{ role: 'user', content: [{ type: 'text', text: pool.take(small ? 500 : 3000) }] }];
    let length = this.body().length;
    while (shape.bytes - length > EXCHANGE_BYTES / 2) {
      const add = Math.min(EXCHANGE_BYTES, shape.bytes - length);
      this.#addExchange(pool.take(Math.round(add * 0.3)), Math.round(add * 0.6));
      length += add;
    }
  }

  /** The request body of the turn at hand. */
  body(): Buffer {
    const last = this.#history.at(-1) as Json;
    const blocks = last['content'] as Json[];
    const marked = { ...last, content: [...blocks.slice(0, -1), { ...blocks.at(-1), ...CACHED }] };
    const messages = [...this.#history.slice(0, -1), marked];
    return Buffer.from(JSON.stringify({ model: 'claude-opus-5-5', messages, ...this.#rest }));
  }

  /** The answer to the turn at hand has come, its tool has run. */
  nextTurn(answer: AnswerOrder): void {
    const text = answerText(this.#pool, answer);
    this.#addExchange(text, Math.max(40, this.#shape.growth - text.length - 400));
  }

  #addExchange(text: string, resultCharacters: number): void {
    const id = `toolu_01${this.#random.hex(22)}`;
    const input = {
      file_path: `/home/user/project/${this.#random.hex(6)}.ts`,
      offset: this.#random.below(900),
    };
    this.#history.push(
      {
        role: 'assistant',
        content: [
          { type: 'text', text },
          { type: 'tool_use', id, name: 'Tool3', input },
        ],
      },
      {
        role: 'user',
        content: [{ tool_use_id: id, type: 'tool_result', content: this.#pool.take(resultCharacters) }],
      },
    );
  }

  #programPart(bytes: number): Json {
    const user = { device_id: this.#random.hex(64), account_uuid: '', session_id: this.id };
    const end = {
      metadata: { user_id: JSON.stringify(user) },
      max_tokens: 32_000,
      stream: this.#shape.stream,
    };
    if (bytes === 0) return end;
    const line = `x-anthropic-billing-header: cc_version=2.1.330.${this.#random.hex(3)}; cc_entrypoint=cli;`;
    const system = [
      { type: 'text', text: line },
      { type: 'text', text: 'You are Claude Code, the official CLI.', ...CACHED },
      { type: 'text', text: this.#pool.take(Math.round(bytes * 0.25)), ...CACHED },
    ];
    const tools = Array.from({ length: 14 }, (_, i) => this.#tool(`Tool${i}`, bytes * 0.05));
    return { system, tools, ...end };
  }

  #tool(name: string, bytes: number): Json {
    const properties = Object.fromEntries(
      ['path', 'pattern', 'limit', 'mode'].map((key) => [
        key,
        { type: 'string', description: this.#pool.take(Math.round(bytes * 0.04)) },
      ]),
    );
    const schema = { type: 'object', properties, required: ['path'], additionalProperties: false };
    return { name, description: this.#pool.take(Math.round(bytes * 0.75)), input_schema: schema };
  }
}
