/*
 * Reading JSON text by position. Everything here expects text that JSON.parse accepts, except where noted; nothing
 * is re-serialised, so number spelling, escapes and key order survive.
 */

/** Where one member of an object stands in the text. */
export interface RawMember {
  /** The key as spelled, quotes included. */
  key: string;
  /** First position of the value. */
  start: number;
  /** Position after the value. */
  end: number;
}

export interface RawObject {
  /** By decoded key. As in JSON.parse, the last of several equal keys counts. */
  members: Map<string, RawMember>;
  duplicateKeys: boolean;
  /** Position after the closing brace. */
  end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Reads the object that begins at or after `from`. */
export function readRawObject(text: string, from = 0): RawObject {
  const members = new Map<string, RawMember>();
  let duplicateKeys = false;
  let position = skipSpace(text, skipSpace(text, from) + 1);
  while (text.charCodeAt(position) !== CLOSE_BRACE) {
    const keyEnd = afterString(text, position);
    const key = text.slice(position, keyEnd);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = afterValue(text, start);
    const name = key.includes('\\') ? String(JSON.parse(key)) : key.slice(1, -1);
    duplicateKeys ||= members.has(name);
    members.set(name, { key, start, end });
    position = skipSpace(text, end);
    if (text.charCodeAt(position) === COMMA) position = skipSpace(text, position + 1);
  }
  return { members, duplicateKeys, end: position + 1 };
}

/** Position of the first character that is not JSON white space. */
export function skipSpace(text: string, from: number): number {
  let position = from;
  for (;;) {
    const code = text.charCodeAt(position);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return position;
    position++;
  }
}

function afterValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return afterString(text, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return afterContainer(text, start);
  let position = start;
  while (position < text.length && !endsPlainValue(text.charCodeAt(position))) position++;
  return position;
}

function endsPlainValue(code: number): boolean {
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 0x20;
}

function afterContainer(text: string, start: number): number {
  let depth = 0;
  let position = start;
  do {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      position = afterString(text, position);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    position++;
  } while (depth > 0 && position < text.length);
  return position;
}

function afterString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(position - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/**
 * Position of the quote that closes the string whose content begins at `start`; -1 where there is none or the content
 * ends inside an escape. Made for the hot path, and so for text not known to be JSON: the caller still has to check
 * the content for control characters and unknown escapes, which it can do for many strings joined together.
 */
export function endOfLiteral(text: string, start: number): number {
  const quote = text.indexOf('"', start);
  const backslash = text.indexOf('\\', start);
  return backslash === -1 || backslash > quote ? quote : endOfEscapedLiteral(text, quote);
}

function endOfEscapedLiteral(text: string, firstQuote: number): number {
  let quote = firstQuote;
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  const lastBackslash = text.lastIndexOf('\\', quote);
  const isTorn = text[lastBackslash + 1] === 'u' && !UNICODE_ESCAPE.test(text.slice(lastBackslash, quote));
  return isTorn ? -1 : quote;
}

/** Digits, not a length: the text may be the Latin-1 view of longer characters. */
const UNICODE_ESCAPE = /^\\u[0-9a-f]{4}/i;

/** Keeps lone surrogates through a UTF-8 encoding: inside JSON text they can only stand in strings, as an escape. */
export function escapeLoneSurrogates(text: string): string {
  if (text.isWellFormed()) return text;
  return text.replaceAll(
    /\p{Surrogate}/gu,
    (surrogate) => `\\u${surrogate.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
