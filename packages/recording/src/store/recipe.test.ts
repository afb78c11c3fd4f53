import { describe, expect, it } from 'vitest';
import { contentHash } from './content-hash.ts';
import { packGlue, unpackGlue } from './glue-phrases.ts';
import { PieceList } from './piece-list.ts';
import { buildRecipe, readRecipe, recipePieces } from './recipe.ts';
import { Random } from './testing/random.ts';

const long = Buffer.alloc(600, 'a');

function steps(recipe: Buffer): (string | Buffer)[] {
  return [...readRecipe(recipe)].map((step) => (step.kind === 'glue' ? step.bytes.toString() : step.hash));
}

describe('a recipe', () => {
  it('keeps short stretches and refers to long ones', () => {
    const text = Buffer.concat([Buffer.from('before'), long, long, Buffer.from('after')]);
    const { bytes, pieces } = buildRecipe(text, [6, 606, 1206]);
    expect(steps(bytes)).toEqual(['before', contentHash(long), contentHash(long), 'after']);
    expect([...pieces].map(({ start, length }) => [start, length])).toEqual([
      [6, 600],
      [606, 600],
    ]);
    expect(recipePieces(bytes)).toEqual([contentHash(long), contentHash(long)]);
  });

  it.each([
    [511, 0],
    [512, 1],
  ])('of %i bytes without cuts has %i pieces', (length, pieces) => {
    expect([...buildRecipe(Buffer.alloc(length, 'x'), []).pieces]).toHaveLength(pieces);
  });

  it('makes one piece of many short stretches in a row', () => {
    const text = Buffer.alloc(2000, '{"a":1},');
    const cuts = Array.from({ length: 249 }, (_, i) => 8 * (i + 1));
    expect(steps(buildRecipe(text, cuts).bytes)).toEqual([contentHash(text)]);
  });

  it('does not depend on what was cut earlier', () => {
    const text = Buffer.concat([long, Buffer.alloc(600, 'b')]);
    const pieces = PieceList.ofSize(1);
    pieces.put(0, { hash: contentHash(Buffer.alloc(600, 'b')), start: 600, length: 600 });
    const earlier = { text: Buffer.alloc(1200, 'b'), pieces };
    expect(buildRecipe(text, [600], earlier)).toEqual(buildRecipe(text, [600]));
  });

  it('of nothing has no steps', () => {
    expect(steps(buildRecipe(Buffer.alloc(0), []).bytes)).toEqual([]);
  });

  it.each([
    ['empty', []],
    ['of another version', [9]],
    ['with glue cut off', [1, 6, 0x61]],
    ['with a hash cut off', [1, 3, 1, 2]],
    ['with an empty item', [1, 0]],
    ['with a length cut off', [1, 0xff, 0xff]],
    ['with a length past all numbers', [1, ...Array.from({ length: 300 }, () => 0xff)]],
    ['with an escape and nothing after it', [1, 2, 0]],
  ])('%s is refused', (_, bytes) => {
    expect(() => steps(Buffer.from(bytes))).toThrow(
      expect.objectContaining({ code: 'NEXUS_RECIPE_INVALID' }),
    );
  });
});

/** Packed between other bytes, as in a recipe. */
function pack(glue: Buffer): Buffer {
  const text = Buffer.concat([Buffer.from(',{"role'), glue, Buffer.from('ral"}}}]}')]);
  const out = Buffer.alloc(3 + 2 * glue.length);
  return out.subarray(3, packGlue(text, { start: 7, end: 7 + glue.length }, out, 3));
}

describe('packed glue', () => {
  it('is short for what clients write', () => {
    const glue = Buffer.from(
      ',{"role":"user","content":[{"tool_use_id":"toolu_01ABC","type":"tool_result","content":',
    );
    expect(pack(glue)).toHaveLength(5);
    expect(unpackGlue(pack(glue))).toEqual(glue);
  });

  it('gives any bytes back', () => {
    const random = new Random(3);
    const parts = [
      '"}]}',
      '},{"type":"text","text":',
      ',"cache_control":{"type":"ephemeral"',
      '\u0000',
      '\u0001',
      '\n',
      'ä',
    ];
    for (let i = 0; i < 3000; i++) {
      const noise = Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256)));
      const glue = Buffer.concat([Buffer.from(random.pick(parts)), noise, Buffer.from(random.pick(parts))]);
      expect(unpackGlue(pack(glue))?.equals(glue)).toBe(true);
    }
  });
});
