/** A string literal of this size (quotes included) is a piece of its own. */
const LONG_STRING_BYTES = 512;

/** Nesting beyond this is not cut: what reads such a message recursively must not overflow. */
export const MAX_DEPTH = 512;

/** How far a string is searched byte by byte before the native search takes over: a call costs about 50 bytes of loop. */
const NEAR_BYTES = 48;

/** Objects opened at this depth are units: `messages[i].content[j]` from a message, `system[i]`, `tools[i]` from a body. */
const UNIT_DEPTH = 2;

/** Bounds are kept of so many units: of the system prompt only the first blocks say what the request is. */
const NOTED_UNITS = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Sets `[` onto `{` and `]` onto `}`. */
const FOLD_BRACKETS = 0x20;

/**
 * Position after the string that starts at `start` (its quote), or -1 if it does not end.
 *
 * Linear whatever the content: each backslash run is looked at once.
 */
export function stringEnd(bytes: Buffer, start: number): number {
  const length = bytes.length;
  let pos = start + 1;
  for (;;) {
    const near = pos + NEAR_BYTES < length ? pos + NEAR_BYTES : length;
    while (pos < near) {
      const byte = bytes[pos] as number;
      if (byte === QUOTE) return pos + 1;
      pos += byte === BACKSLASH ? 2 : 1;
    }
    const quote = bytes.indexOf(QUOTE, pos);
    if (quote < 0 || pos >= length) return -1;
    let before = quote - 1;
    while (before >= pos && bytes[before] === BACKSLASH) before--;
    if (((quote - before) & 1) === 1) return quote + 1;
    pos = quote + 1;
  }
}

/** Position of the first byte at or after `pos` that is not JSON whitespace. */
export function skipSpace(bytes: Buffer, pos: number): number {
  let at = pos;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at++;
  }
}

/**
 * Finds where JSON values end and where they are to be cut, in one pass without recursion.
 *
 * It tells strings and brackets apart and nothing else: text that is not JSON may pass, and is then cut at places
 * that mean nothing. That is harmless, because a cut only divides bytes.
 */
export class JsonScanner {
  readonly bytes: Buffer;
  /** Ascending positions at which the scanned text is to be divided; taken and cleared by `takeCuts`. */
  #cuts: number[] = [];
  /** Of the last value: bytes in long strings, number of units, and start and end of each of the first few. */
  literalBytes = 0;
  unitCount = 0;
  unitBounds: number[] = [];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  takeCuts(): number[] {
    const cuts = this.#cuts;
    this.#cuts = [];
    return cuts;
  }

  /**
   * Position after the value that starts at `start`, or -1 if it is incomplete, empty or too deep.
   *
   * @param depth how many containers are open around the value
   */
  valueEnd(start: number, depth: number): number {
    const byte = this.bytes[start];
    this.literalBytes = 0;
    this.unitCount = 0;
    if (this.unitBounds.length > 0) this.unitBounds = [];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return this.#containerEnd(start, depth);
    if (byte === QUOTE) return this.#textEnd(start);
    return this.#scalarEnd(start);
  }

  #textEnd(start: number): number {
    const end = stringEnd(this.bytes, start);
    if (end - start >= LONG_STRING_BYTES) {
      this.#cuts.push(start, end);
      this.literalBytes += end - start;
    }
    return end;
  }

  #scalarEnd(start: number): number {
    const bytes = this.bytes;
    let pos = start;
    while (pos < bytes.length) {
      const byte = bytes[pos] as number;
      // whitespace, comma, closing bracket; a quote, colon or opening bracket cannot be part of a scalar either
      if (byte <= 0x20 || byte === 0x2c || byte === QUOTE || byte === 0x3a) break;
      if (
        byte >= OPEN_BRACKET &&
        ((byte | FOLD_BRACKETS) === CLOSE_BRACE || (byte | FOLD_BRACKETS) === OPEN_BRACE)
      )
        break;
      pos++;
    }
    return pos > start ? pos : -1;
  }

  #containerEnd(start: number, outerDepth: number): number {
    const bytes = this.bytes;
    const length = bytes.length;
    let depth = outerDepth;
    let pos = start;
    while (pos < length) {
      const byte = bytes[pos] as number;
      if (byte === QUOTE) {
        const end = this.#textEnd(pos);
        if (end < 0) return -1;
        pos = end;
        continue;
      }
      pos++;
      if (byte < OPEN_BRACKET) continue;
      const folded = byte | FOLD_BRACKETS;
      if (folded === OPEN_BRACE) {
        if (depth === UNIT_DEPTH && byte === OPEN_BRACE) this.#openUnit(pos - 1);
        if (++depth > MAX_DEPTH) return -1;
      } else if (folded === CLOSE_BRACE) {
        depth--;
        if (depth === UNIT_DEPTH && byte !== CLOSE_BRACKET) this.#closeUnit(pos);
        if (depth === outerDepth) return pos;
      }
    }
    return -1;
  }

  #openUnit(pos: number): void {
    this.#cuts.push(pos);
    if (this.unitCount++ < NOTED_UNITS) this.unitBounds.push(pos);
  }

  #closeUnit(pos: number): void {
    this.#cuts.push(pos);
    if (this.unitCount <= NOTED_UNITS) this.unitBounds.push(pos);
  }
}
