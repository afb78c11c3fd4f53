import type { Random } from './random.ts';

const PRIMITIVES = [
  'true',
  'false',
  'null',
  '0',
  '-0',
  '1e400',
  '-1.5E-7',
  '123456789012345678901234567890',
  '0.10000000000000000001',
];
const ESCAPES = [
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\u0000',
  '\\ud800',
  '\\udc00\\ud83d',
  '\\u00e9',
  '\\\\\\"',
  '\\t',
];
const RUNS = ['é', '🦀', '{', '}', '[', ']', ',', ':', ' ', 'the quick brown fox ', '"role\\":', 'messages'];
const SPACES = ['', '', '', '', ' ', '\n  ', '\t', '\r\n', '   '];
const ROLES = ['user', 'assistant', 'system', 'tool'];

/** JSON text without a form of its own: odd spacing, escapes, repeated keys, numbers no double holds. */
export class JsonText {
  readonly #random: Random;
  readonly #spaced: boolean;

  constructor(random: Random) {
    this.#random = random;
    this.#spaced = random.chance(0.3);
  }

  space(): string {
    return this.#spaced ? this.#random.pick(SPACES) : '';
  }

  string(length: number): string {
    let text = '';
    while (text.length < length) {
      const run = this.#random.next();
      if (run < 0.2) text += this.#random.pick(ESCAPES);
      else if (run < 0.4) text += this.#random.pick(RUNS).replaceAll(/(?<!\\)"/gu, '\\"');
      else text += this.#random.hex(1 + this.#random.below(60));
    }
    return `"${text}"`;
  }

  /** Mostly short; now and then about the length at which strings become pieces. */
  anyString(): string {
    const kind = this.#random.next();
    if (kind < 0.8) return this.string(this.#random.below(40));
    return this.string(kind < 0.95 ? 450 + this.#random.below(120) : 600 + this.#random.below(2000));
  }

  value(depth: number): string {
    const kind = this.#random.below(depth > 4 ? 2 : 4);
    if (kind === 0) return this.#random.pick(PRIMITIVES);
    if (kind === 1) return this.anyString();
    const items = Array.from({ length: this.#random.below(4) }, () => this.value(depth + 1));
    return kind === 2
      ? this.array(items)
      : this.object(items.map((item) => [this.#random.pick(['a', 'text', 'b']), item]));
  }

  array(items: readonly string[]): string {
    return `[${this.space()}${items.join(`${this.space()},${this.space()}`)}${this.space()}]`;
  }

  /** Keys may repeat and stay as given. */
  object(members: readonly (readonly [string, string])[]): string {
    const texts = members.map(([key, value]) => `"${key}"${this.space()}:${this.space()}${value}`);
    return `{${this.space()}${texts.join(`${this.space()},${this.space()}`)}${this.space()}}`;
  }
}

interface Message {
  role: string;
  /** JSON text of each block's string. */
  texts: string[];
  extra: string | undefined;
}

/** A conversation whose bodies share most of their bytes from one to the next. */
export class Conversation {
  readonly #random: Random;
  readonly #json: JsonText;
  readonly #messagesFirst: boolean;
  #messages: Message[] = [];
  #head: [string, string][];
  #tail: [string, string][];

  constructor(random: Random) {
    this.#random = random;
    this.#json = new JsonText(random);
    this.#messagesFirst = random.chance(0.6);
    this.#head = [['model', '"claude-test"']];
    this.#tail = this.#newTail();
    this.#append(1 + random.below(4));
  }

  /** Changes something, as a client would or as none would, and writes the body. */
  next(): Buffer {
    const random = this.#random;
    const change = random.next();
    if (change < 0.55) this.#append(1 + random.below(3));
    else if (change < 0.65) this.#messages = this.#messages.slice(0, random.below(this.#messages.length + 1));
    else if (change < 0.75) this.#tail = this.#newTail();
    else if (change < 0.8) this.#head = [['model', this.#json.anyString()], ...this.#head.slice(0, 2)];
    else if (change < 0.9 && this.#messages.length > 0)
      this.#messages[random.below(this.#messages.length)] = this.#message();
    return Buffer.from(this.#write());
  }

  #append(count: number): void {
    if (this.#messages.length > 24) this.#messages = [];
    for (let i = 0; i < count; i++) this.#messages.push(this.#message());
  }

  #message(): Message {
    const texts = Array.from({ length: this.#random.below(4) }, () => this.#json.anyString());
    return {
      role: this.#random.pick(ROLES),
      texts,
      extra: this.#random.chance(0.1) ? this.#json.value(2) : undefined,
    };
  }

  #newTail(): [string, string][] {
    const json = this.#json;
    const random = this.#random;
    const block = (): string =>
      json.object([
        ['type', '"text"'],
        ['text', json.anyString()],
      ]);
    const tail: [string, string][] = [
      [
        'system',
        random.chance(0.3) ? json.anyString() : json.array(Array.from({ length: random.below(4) }, block)),
      ],
      ['tools', json.array(Array.from({ length: random.below(4) }, () => json.value(1)))],
      [
        'metadata',
        json.object([
          ['user_id', json.anyString()],
          ['user_id', json.string(20)],
        ]),
      ],
      ['max_tokens', String(random.below(100_000))],
      ['stream', random.pick(['true', 'false'])],
    ];
    if (random.chance(0.2)) tail.push(['model', random.pick(['"again"', '5', '"m\\u006fdel"'])]);
    if (random.chance(0.2)) tail.push(['output_config', '{"format":{"type":"json_schema","schema":{}}}']);
    if (random.chance(0.1)) tail.push(['strea\\u006d', 'true']);
    if (random.chance(0.03)) tail.push(['messages', '[]']);
    return tail;
  }

  #write(): string {
    const json = this.#json;
    const messages = json.array(this.#messages.map((message, index) => this.#writeMessage(message, index)));
    const before = this.#messagesFirst ? this.#head : [...this.#head, ...this.#tail];
    const after = this.#messagesFirst ? this.#tail : [];
    return `${json.space()}${json.object([...before, ['messages', messages], ...after])}${json.space()}`;
  }

  /** One text may stand as a string; the last message carries a cache mark. */
  #writeMessage({ role, texts, extra }: Message, index: number): string {
    const json = this.#json;
    const isLast = index === this.#messages.length - 1;
    const mark: [string, string][] = isLast ? [['cache_control', '{"type":"ephemeral"}']] : [];
    const blocks = texts.map((text, i) =>
      json.object([['type', '"text"'], ['text', text], ...(i === texts.length - 1 ? mark : [])]),
    );
    const content = texts.length === 1 && !isLast ? (texts[0] as string) : json.array(blocks);
    const members: [string, string][] = [
      ['role', `"${role}"`],
      ['content', content],
    ];
    if (extra !== undefined) members.push(['content2', extra]);
    return json.object(members);
  }
}

/** One change at `position`: a byte less, more or other, the rest gone, or a stretch doubled. */
export function mutate(body: Buffer, position: number, random: Random): Buffer {
  const before = body.subarray(0, position);
  const after = body.subarray(position);
  const byte = Buffer.from([
    random.chance(0.5) ? random.pick([...Buffer.from('"\\{}[],: \n0')]) : random.below(256),
  ]);
  switch (random.below(5)) {
    case 0:
      return Buffer.concat([before, after.subarray(1)]);
    case 1:
      return Buffer.concat([before, byte, after]);
    case 2:
      return Buffer.concat([before, byte, after.subarray(1)]);
    case 3:
      return Buffer.from(before);
    default:
      return Buffer.concat([before, after.subarray(0, 1 + random.below(200)), after]);
  }
}
