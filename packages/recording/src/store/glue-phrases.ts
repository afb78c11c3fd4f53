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

/** Codes by the first byte of their phrase, longest phrase first. */
const codesByFirstByte = new Map<number, readonly number[]>();
const phraseOfCode: (Buffer | undefined)[] = [];
for (const [index, phrase] of PHRASES.entries()) {
  const code = CODES[index] as number;
  phraseOfCode[code] = phrase;
  const codes = [...(codesByFirstByte.get(phrase[0] as number) ?? []), code];
  codesByFirstByte.set(
    phrase[0] as number,
    codes.toSorted((a, b) => phraseLength(b) - phraseLength(a)),
  );
}

function phraseLength(code: number): number {
  return phraseOfCode[code]?.length ?? 0;
}

/** `glue` with phrases as codes. */
export function packGlue(glue: Buffer): Buffer {
  const out = Buffer.allocUnsafe(2 * glue.length);
  let length = 0;
  for (let at = 0; at < glue.length;) {
    const byte = glue[at] as number;
    const code = codesByFirstByte.get(byte)?.find((candidate) => hasPhrase(glue, at, candidate));
    if (code !== undefined) {
      out[length++] = code;
      at += phraseLength(code);
      continue;
    }
    if (byte === ESCAPE || phraseOfCode[byte] !== undefined) out[length++] = ESCAPE;
    out[length++] = byte;
    at++;
  }
  return Buffer.from(out.subarray(0, length));
}

function hasPhrase(glue: Buffer, at: number, code: number): boolean {
  const phrase = phraseOfCode[code] as Buffer;
  return at + phrase.length <= glue.length && phrase.compare(glue, at, at + phrase.length) === 0;
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
