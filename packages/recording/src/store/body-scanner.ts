import { JsonScanner, skipSpace, stringEnd } from './json-scanner.ts';

/** A top-level member whose value says something about the request. Positions are those of the body. */
export interface BodyMember {
  key: string;
  start: number;
  end: number;
  /** Objects directly inside a top-level array, and start and end of each of the first few. */
  unitCount: number;
  unitBounds: readonly number[];
}

/** A part of the body: everything before the first message, or everything after the last. */
export interface ScannedSection {
  start: number;
  end: number;
  /** Positions relative to `start`. */
  cuts: number[];
  members: BodyMember[];
}

/** One message with the separator before it. */
export interface ScannedMessage {
  start: number;
  end: number;
  /** Relative to `start`: where the message's own brace is. */
  valueStart: number;
  /** Bytes outside long strings. */
  glueBytes: number;
  cuts: number[];
}

const NOTED_KEYS = new Set([
  'model',
  'stream',
  'max_tokens',
  'metadata',
  'output_config',
  'output_format',
  'system',
  'tools',
  'messages',
]);
const LONGEST_NOTED_KEY = 13;
/** A noted key of which every character is written as \uXXXX. */
const LONGEST_ESCAPED_KEY = 6 * LONGEST_NOTED_KEY;

const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Divides a Messages API body into head, messages and tail.
 *
 * Each part is a function of its own bytes alone, so that a part found again at another place needs no second scan.
 * Every method answers undefined when the text is not of that form; the body is then stored whole.
 */
export class BodyScanner {
  readonly #bytes: Buffer;
  readonly #json: JsonScanner;
  /** Noted members of a head without messages or of a tail that did not end well; for facts about a whole body. */
  strayMembers: BodyMember[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#json = new JsonScanner(bytes);
  }

  /** From the first byte to the bracket that opens `messages`. */
  head(): ScannedSection | undefined {
    const bytes = this.#bytes;
    const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    const brace = skipSpace(bytes, hasBom ? 3 : 0);
    if (bytes[brace] !== OPEN_BRACE) return undefined;
    const first = skipSpace(bytes, brace + 1);
    return this.#members(0, first, true);
  }

  /**
   * The message that follows position `start`; 'none' when the array ends there.
   *
   * @param isFirst whether no message comes before it, so that no comma must
   */
  message(start: number, isFirst: boolean): ScannedMessage | 'none' | undefined {
    const bytes = this.#bytes;
    let at = skipSpace(bytes, start);
    if (bytes[at] === CLOSE_BRACKET) return 'none';
    if (!isFirst) {
      if (bytes[at] !== COMMA) return undefined;
      at = skipSpace(bytes, at + 1);
    }
    if (bytes[at] !== OPEN_BRACE) return undefined;
    const end = this.#json.valueEnd(at, 0);
    if (end < 0) return undefined;
    const glueBytes = end - start - this.#json.literalBytes;
    return { start, end, valueStart: at - start, glueBytes, cuts: relative(this.#json.takeCuts(), start) };
  }

  /** From the end of the last message to the last byte. */
  tail(start: number): ScannedSection | undefined {
    const bytes = this.#bytes;
    const bracket = skipSpace(bytes, start);
    if (bytes[bracket] !== CLOSE_BRACKET) return undefined;
    return this.#members(start, this.#afterValue(bracket + 1), false);
  }

  /**
   * Members from `first` on: up to the opening of `messages` in the head, to the end of the body in the tail.
   * A second `messages` fails: which one counts is only known at the end, and no client writes that.
   */
  #members(start: number, first: number, isHead: boolean): ScannedSection | undefined {
    const bytes = this.#bytes;
    const members: BodyMember[] = [];
    this.strayMembers = members;
    let at = first;
    while (bytes[at] === QUOTE) {
      const keyEnd = stringEnd(bytes, at);
      if (keyEnd < 0) return undefined;
      const colon = skipSpace(bytes, keyEnd);
      if (bytes[colon] !== COLON) return undefined;
      const value = skipSpace(bytes, colon + 1);
      const key = this.#notedKey(at, keyEnd);
      if (key === 'messages') {
        if (!isHead) return undefined;
        if (bytes[value] === OPEN_BRACKET) return this.#section(start, value + 1, members);
      }
      const end = this.#json.valueEnd(value, 1);
      if (end < 0) return undefined;
      if (key !== undefined) members.push(this.#member(key, value, end));
      at = this.#afterValue(end);
    }
    if (isHead || bytes[at] !== CLOSE_BRACE) return undefined;
    const end = skipSpace(bytes, at + 1);
    return end === bytes.length ? this.#section(start, end, members) : undefined;
  }

  /** Where the next key or the closing brace is expected; -1, where nothing is, when neither may follow. */
  #afterValue(end: number): number {
    const bytes = this.#bytes;
    const at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return at;
    if (bytes[at] !== COMMA) return -1;
    const key = skipSpace(bytes, at + 1);
    return bytes[key] === QUOTE ? key : -1;
  }

  #member(key: string, start: number, end: number): BodyMember {
    const { unitCount, unitBounds } = this.#json;
    return { key, start, end, unitCount, unitBounds };
  }

  #section(start: number, end: number, members: BodyMember[]): ScannedSection {
    this.strayMembers = [];
    return { start, end, cuts: relative(this.#json.takeCuts(), start), members };
  }

  #notedKey(start: number, end: number): string | undefined {
    const length = end - start - 2;
    if (length > LONGEST_ESCAPED_KEY) return undefined;
    const raw = this.#bytes.toString('latin1', start + 1, end - 1);
    const key = raw.includes('\\') ? unescaped(raw) : raw;
    return key !== undefined && NOTED_KEYS.has(key) ? key : undefined;
  }
}

function unescaped(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}

function relative(cuts: number[], start: number): number[] {
  if (start > 0) for (let i = 0; i < cuts.length; i++) cuts[i] = (cuts[i] as number) - start;
  return cuts;
}
