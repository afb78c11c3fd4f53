import { VarintReader, writeVarint } from '../journal/varint.ts';
import { CONTENT_HASH_BYTES, contentHash } from './content-hash.ts';
import { StoreError } from './errors.ts';
import { packGlue, unpackGlue } from './glue-phrases.ts';
import { PieceList } from './piece-list.ts';

/** First byte of every recipe. */
const RECIPE_VERSION = 1;

/** A stretch between two cuts of at least this many bytes is a piece; shorter ones stay in the recipe as glue. */
const PIECE_BYTES = 512;

/** Most bytes of an item's varint; before glue, of which there are less than 1024 bytes, fewer will do. */
const HEADER_BYTES = 5;
const GLUE_HEADER_BYTES = 2;

/** How a text is put together: encoded bytes, and the pieces they refer to in order (one may occur twice). */
export interface Recipe {
  bytes: Buffer;
  pieces: PieceList;
}

/** A text cut earlier; pieces found again in it need no hashing. */
export interface CutEarlier {
  text: Buffer;
  pieces: PieceList;
}

/** One step of a recipe: bytes given literally, or the hash of a piece. */
export type RecipeStep = { kind: 'glue'; bytes: Buffer } | { kind: 'piece'; hash: Buffer };

interface Stretch {
  start: number;
  end: number;
  isPiece: boolean;
}

/**
 * Describes `text`, divided at `cuts`, as glue and pieces. Depends on nothing but the bytes and the cuts.
 *
 * @param cuts ascending positions within the text
 * @param earlier what the same place held before: only saves time, never changes the result
 */
export function buildRecipe(text: Buffer, cuts: readonly number[], earlier?: CutEarlier): Recipe {
  const stretches = divide(text.length, cuts);
  let count = 0;
  for (const { isPiece } of stretches) if (isPiece) count++;
  const pieces = PieceList.ofSize(count);
  let next = 0;
  for (const { start, end, isPiece } of stretches) {
    if (!isPiece) continue;
    const bytes = text.subarray(start, end);
    const hash = findEarlier(bytes, earlier) ?? contentHash(bytes);
    pieces.put(next++, { hash, start, length: end - start });
  }
  return { bytes: encode(text, stretches, pieces), pieces };
}

/** Pieces and glue in order; neighbouring short stretches are one run, which is a piece if it grows long. */
function divide(length: number, cuts: readonly number[]): Stretch[] {
  const stretches: Stretch[] = [];
  let runStart = 0;
  let start = 0;
  const closeRun = (end: number): void => {
    if (end > runStart) stretches.push({ start: runStart, end, isPiece: end - runStart >= PIECE_BYTES });
  };
  for (let i = 0; i <= cuts.length; i++) {
    const end = i < cuts.length ? (cuts[i] as number) : length;
    if (end - start >= PIECE_BYTES) {
      closeRun(start);
      stretches.push({ start, end, isPiece: true });
      runStart = end;
    }
    start = end;
  }
  closeRun(length);
  return stretches;
}

function findEarlier(bytes: Buffer, earlier: CutEarlier | undefined): Buffer | undefined {
  if (earlier === undefined) return undefined;
  const { text, pieces } = earlier;
  for (let index = 0; index < pieces.count; index++) {
    const start = pieces.start(index);
    const isSame =
      pieces.length(index) === bytes.length && bytes.equals(text.subarray(start, start + bytes.length));
    if (isSame) return pieces.hash(index);
  }
  return undefined;
}

/** Where recipes are written before their length is known; for longer ones a buffer is made for the occasion. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Version, then items: a varint 2n followed by n bytes of packed glue, or a varint 2n+1 followed by n hashes.
 */
function encode(text: Buffer, stretches: readonly Stretch[], pieces: PieceList): Buffer {
  const out = roomFor(text.length, stretches.length, pieces.count);
  out[0] = RECIPE_VERSION;
  let at = 1;
  let nextPiece = 0;
  for (let i = 0; i < stretches.length; i++) {
    const stretch = stretches[i] as Stretch;
    if (stretch.isPiece) {
      const count = piecesInARow(stretches, i);
      at = writeVarint(out, at, 2 * count + 1);
      for (const end = nextPiece + count; nextPiece < end; nextPiece++)
        at = pieces.copyHash(nextPiece, out, at);
      i += count - 1;
    } else {
      at = writeGlue(text, stretch, out, at);
    }
  }
  return Buffer.from(out.subarray(0, at));
}

/** Room for the longest recipe of a text so divided; a stretch of glue is shorter than a piece. */
function roomFor(textLength: number, stretches: number, pieces: number): Buffer {
  const glue = 2 * Math.min(textLength, stretches * PIECE_BYTES);
  const needed = 1 + glue + stretches * HEADER_BYTES + pieces * CONTENT_HASH_BYTES;
  return needed > scratch.length ? Buffer.allocUnsafeSlow(needed) : scratch;
}

function writeGlue(text: Buffer, stretch: Stretch, out: Buffer, at: number): number {
  const glueAt = at + GLUE_HEADER_BYTES;
  const end = packGlue(text, stretch, out, glueAt);
  const start = writeVarint(out, at, 2 * (end - glueAt));
  if (start < glueAt) out.copyWithin(start, glueAt, end);
  return end - (glueAt - start);
}

function piecesInARow(stretches: readonly Stretch[], first: number): number {
  let end = first;
  while (end < stretches.length && (stretches[end] as Stretch).isPiece) end++;
  return end - first;
}

/**
 * The steps of an encoded recipe, as views of it.
 *
 * @throws StoreError NEXUS_RECIPE_INVALID
 */
export function* readRecipe(recipe: Buffer): Generator<RecipeStep> {
  if (recipe[0] !== RECIPE_VERSION) throw invalidRecipe(`version ${recipe[0]} is not known`);
  const reader = new VarintReader(recipe, 1);
  while (reader.offset < recipe.length) {
    const header = reader.next();
    const count = Math.floor(header / 2);
    const isPieces = header % 2 === 1;
    const at = reader.offset;
    const end = at + (isPieces ? count * CONTENT_HASH_BYTES : count);
    if (!Number.isSafeInteger(end) || end > recipe.length || count === 0)
      throw invalidRecipe('it is cut off');
    if (isPieces) yield* hashes(recipe, at, end);
    else yield { kind: 'glue', bytes: glue(recipe.subarray(at, end)) };
    reader.offset = end;
  }
}

function glue(packed: Buffer): Buffer {
  const bytes = unpackGlue(packed);
  if (bytes === undefined) throw invalidRecipe('its glue is cut off');
  return bytes;
}

function* hashes(recipe: Buffer, start: number, end: number): Generator<RecipeStep> {
  for (let at = start; at < end; at += CONTENT_HASH_BYTES) {
    yield { kind: 'piece', hash: recipe.subarray(at, at + CONTENT_HASH_BYTES) };
  }
}

/**
 * Hashes of the pieces a recipe needs, in order, repeats included.
 *
 * @throws StoreError NEXUS_RECIPE_INVALID
 */
export function recipePieces(recipe: Buffer): Buffer[] {
  const hashes: Buffer[] = [];
  for (const step of readRecipe(recipe)) if (step.kind === 'piece') hashes.push(step.hash);
  return hashes;
}

function invalidRecipe(why: string): StoreError {
  return new StoreError('NEXUS_RECIPE_INVALID', `The recipe cannot be read: ${why}`);
}
