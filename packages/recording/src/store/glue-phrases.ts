/**
 * What clients write between the pieces, over and over. A phrase takes the place of a control character, which JSON
 * text never holds as such; where one is held all the same, ESCAPE goes before it.
 *
 * The order is part of the format: a recipe says by number which phrase it means.
 */
const PHRASES = [
  ',{"role":"user","content":[{"tool_use_id":"toolu_01',
  '","type":"tool_result","content":',
  ',"cache_control":{"type":"ephemeral"}',
  ',"cache_control":{"type":"ephemeral","ttl":"1h"}',
  ',{"role":"assistant","content":[{"type":"text","text":',
  ',{"role":"assistant","content":[{"type":"thinking","thinking":',
  ',{"role":"assistant","content":[{"type":"tool_use","id":"toolu_01',
  ',{"role":"user","content":[{"type":"text","text":',
  ',{"role":"user","content":',
  ',{"role":"system","content":',
  '},{"type":"tool_use","id":"toolu_01',
  '},{"tool_use_id":"toolu_01',
  '},{"type":"text","text":',
  '"},{"type":"text","text":',
  '","input":{"file_path":"',
  '","input":{"command":"',
  '","name":"',
  '","description":"',
  '","new_string":"',
  '","old_string":"',
  ',"signature":',
  ',"is_error":true',
  ',"is_error":false',
  '"type":"text","text":',
  '"}}]}',
  '"}]}',
  '}]}',
].map((phrase) => Buffer.from(phrase));

const ESCAPE = 0x00;
/** Tab, line feed and carriage return are whitespace of JSON and stand for themselves. */
const CODES = Array.from({ length: 0x20 }, (_, code) => code).filter(
  (code) => ![ESCAPE, 0x09, 0x0a, 0x0d].includes(code),
);

const phraseOfCode: (Buffer | undefined)[] = Array.from({ length: 256 });
/** Codes by the first byte of their phrase, longest phrase first. */
const codesByFirstByte: (readonly number[] | undefined)[] = Array.from({ length: 256 });
for (const [index, phrase] of PHRASES.entries()) {
  const code = CODES[index] as number;
  const first = phrase[0] as number;
  phraseOfCode[code] = phrase;
  const codes = [...(codesByFirstByte[first] ?? []), code];
  codesByFirstByte[first] = codes.toSorted((a, b) => phraseLength(b) - phraseLength(a));
}

function phraseLength(code: number): number {
  return phraseOfCode[code]?.length ?? 0;
}

/** A stretch of a text. */
interface Stretch {
  start: number;
  end: number;
}

/**
 * Writes a stretch of `text` with phrases as codes to `out` at `at`, which has room for twice its length. Answers the
 * position after it.
 */
export function packGlue(text: Buffer, { start, end }: Stretch, out: Buffer, at: number): number {
  let position = at;
  for (let from = start; from < end;) {
    const byte = text[from] as number;
    const codes = codesByFirstByte[byte];
    const code = codes === undefined ? undefined : longestPhrase(text, from, end, codes);
    if (code !== undefined) {
      out[position++] = code;
      from += phraseLength(code);
      continue;
    }
    if (byte < 0x20 && (byte === ESCAPE || phraseOfCode[byte] !== undefined)) out[position++] = ESCAPE;
    out[position++] = byte;
    from++;
  }
  return position;
}

function longestPhrase(text: Buffer, at: number, end: number, codes: readonly number[]): number | undefined {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    const phrase = phraseOfCode[code] as Buffer;
    if (at + phrase.length <= end && startsWith(text, at, phrase)) return code;
  }
  return undefined;
}

/** Not Buffer.compare: most candidates differ within a few bytes. */
function startsWith(text: Buffer, at: number, phrase: Buffer): boolean {
  for (let i = 1; i < phrase.length; i++) if (text[at + i] !== phrase[i]) return false;
  return true;
}

/** The glue that was packed; undefined if `packed` cannot have come from `packGlue`. */
export function unpackGlue(packed: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let plainStart = 0;
  for (let at = 0; at < packed.length; at++) {
    const byte = packed[at] as number;
    const phrase = phraseOfCode[byte];
    if (byte !== ESCAPE && phrase === undefined) continue;
    parts.push(packed.subarray(plainStart, at));
    if (phrase !== undefined) parts.push(phrase);
    else if (++at === packed.length) return undefined;
    plainStart = phrase === undefined ? at : at + 1;
  }
  return Buffer.concat([...parts, packed.subarray(plainStart)]);
}
