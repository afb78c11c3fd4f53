import { CONTENT_HASH_BYTES } from './content-hash.ts';
import { PieceList } from './piece-list.ts';
import type { Recipe } from './recipe.ts';

/** A message with the separator before it, cut: nothing here depends on what comes before. */
export interface MessageCut {
  /** Where the message's brace is, from the separator on. */
  valueStart: number;
  recipe: Recipe;
  strict: Buffer;
  loose: Buffer;
  hasUserText: boolean;
  /** Bytes outside long strings. */
  glueBytes: number;
}

/** A node of the prefix tree: the message and everything before it. */
export interface NodeState {
  hash: Buffer;
  strictChain: Buffer;
  looseChain: Buffer;
}

/** Hashes of one message, in this order: strict, loose, node, strict chain, loose chain. */
const HASHES = 5;
const HASHES_BYTES = HASHES * CONTENT_HASH_BYTES;
const STRICT = 0;
const LOOSE = 1;
const NODE = 2;
const STRICT_CHAIN = 3;
const LOOSE_CHAIN = 4;

/** Numbers of one message, in this order; the last two are where its recipe and its pieces end. */
const NUMBERS = 5;
const VALUE_START = 0;
const GLUE_BYTES = 1;
const USER_TEXT = 2;
const RECIPE_END = 3;
const PIECES_END = 4;

/**
 * The messages of a remembered body, cut, and their nodes. A handful of objects whatever their number: the memory
 * holds up to a hundred thousand messages, and every object in it is visited by each full garbage collection.
 */
export class MessageTable {
  #count = 0;
  #hashes = Buffer.alloc(0);
  #numbers = new Int32Array(0);
  #recipes = Buffer.alloc(0);
  #pieces = Buffer.alloc(0);

  get count(): number {
    return this.#count;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#hashes.length + this.#numbers.byteLength + this.#recipes.length + this.#pieces.length;
  }

  /** Of the first `count` messages: their bytes outside long strings. */
  glueBytes(count: number): number {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += this.#number(index, GLUE_BYTES);
    return sum;
  }

  valueStart(index: number): number {
    return this.#number(index, VALUE_START);
  }

  /** First of the first `count` messages that holds a user's text; -1 if none does. */
  firstUserText(count: number): number {
    for (let index = 0; index < count; index++) if (this.#number(index, USER_TEXT) === 1) return index;
    return -1;
  }

  /** Last of the first `count` messages that holds a user's text; -1 if none does. */
  lastUserText(count: number): number {
    let index = count - 1;
    while (index >= 0 && this.#number(index, USER_TEXT) === 0) index--;
    return index;
  }

  /** Pieces of a message, as a view that ends with the next `replaceFrom`. */
  pieces(index: number): PieceList {
    return new PieceList(
      this.#pieces.subarray(this.#end(index - 1, PIECES_END), this.#end(index, PIECES_END)),
    );
  }

  /** A copy of one message. */
  message(index: number): MessageCut {
    const recipe = this.#recipes.subarray(this.#end(index - 1, RECIPE_END), this.#end(index, RECIPE_END));
    return {
      valueStart: this.valueStart(index),
      recipe: { bytes: Buffer.from(recipe), pieces: new PieceList(Buffer.from(this.pieces(index).records)) },
      strict: this.#hash(index, STRICT),
      loose: this.#hash(index, LOOSE),
      hasUserText: this.#number(index, USER_TEXT) === 1,
      glueBytes: this.#number(index, GLUE_BYTES),
    };
  }

  /** A copy of the node of one message. */
  node(index: number): NodeState {
    return {
      hash: this.#hash(index, NODE),
      strictChain: this.#hash(index, STRICT_CHAIN),
      looseChain: this.#hash(index, LOOSE_CHAIN),
    };
  }

  /** Keeps the first `known` messages and has `messages` and their `nodes`, which are copied, after them. */
  replaceFrom(known: number, messages: readonly MessageCut[], nodes: readonly NodeState[]): void {
    this.#count = known;
    this.#reserve(messages);
    for (const [index, message] of messages.entries()) this.#append(message, nodes[index] as NodeState);
  }

  #append({ valueStart, glueBytes, hasUserText, recipe, strict, loose }: MessageCut, node: NodeState): void {
    const index = this.#count;
    const recipeStart = this.#end(index - 1, RECIPE_END);
    const piecesStart = this.#end(index - 1, PIECES_END);
    const { records } = recipe.pieces;
    this.#recipes.set(recipe.bytes, recipeStart);
    this.#pieces.set(records, piecesStart);
    const numbers = this.#numbers;
    const at = index * NUMBERS;
    numbers[at + VALUE_START] = valueStart;
    numbers[at + GLUE_BYTES] = glueBytes;
    numbers[at + USER_TEXT] = hasUserText ? 1 : 0;
    numbers[at + RECIPE_END] = recipeStart + recipe.bytes.length;
    numbers[at + PIECES_END] = piecesStart + records.length;
    this.#putHash(index, STRICT, strict);
    this.#putHash(index, LOOSE, loose);
    this.#putHash(index, NODE, node.hash);
    this.#putHash(index, STRICT_CHAIN, node.strictChain);
    this.#putHash(index, LOOSE_CHAIN, node.looseChain);
    this.#count++;
  }

  #reserve(messages: readonly MessageCut[]): void {
    const last = this.#count - 1;
    const count = this.#count + messages.length;
    let recipeBytes = this.#end(last, RECIPE_END);
    let pieceBytes = this.#end(last, PIECES_END);
    for (const { recipe } of messages) {
      recipeBytes += recipe.bytes.length;
      pieceBytes += recipe.pieces.records.length;
    }
    const fits =
      count * NUMBERS <= this.#numbers.length &&
      recipeBytes <= this.#recipes.length &&
      pieceBytes <= this.#pieces.length;
    if (!fits) this.#grow(count, recipeBytes, pieceBytes);
  }

  /** One block for all: for a small table, making a buffer costs more than what goes into it. */
  #grow(count: number, recipeBytes: number, pieceBytes: number): void {
    const rows = withReserve(count, MORE_MESSAGES);
    const sizes = [
      rows * NUMBERS * Int32Array.BYTES_PER_ELEMENT,
      rows * HASHES_BYTES,
      withReserve(recipeBytes, MORE_MESSAGES * MESSAGE_BYTES),
      withReserve(pieceBytes, MORE_MESSAGES * MESSAGE_BYTES),
    ] as const;
    const hashesAt = sizes[0];
    const recipesAt = hashesAt + sizes[1];
    const piecesAt = recipesAt + sizes[2];
    const block = Buffer.allocUnsafeSlow(piecesAt + sizes[3]);
    const numbers = new Int32Array(block.buffer, 0, rows * NUMBERS);
    const kept = this.#count;
    numbers.set(this.#numbers.subarray(0, kept * NUMBERS));
    block.set(this.#hashes.subarray(0, kept * HASHES_BYTES), hashesAt);
    block.set(this.#recipes.subarray(0, this.#end(kept - 1, RECIPE_END)), recipesAt);
    block.set(this.#pieces.subarray(0, this.#end(kept - 1, PIECES_END)), piecesAt);
    this.#numbers = numbers;
    this.#hashes = block.subarray(hashesAt, recipesAt);
    this.#recipes = block.subarray(recipesAt, piecesAt);
    this.#pieces = block.subarray(piecesAt);
  }

  #end(index: number, which: number): number {
    return index < 0 ? 0 : this.#number(index, which);
  }

  #number(index: number, which: number): number {
    return this.#numbers[index * NUMBERS + which] as number;
  }

  #hash(index: number, which: number): Buffer {
    const at = index * HASHES_BYTES + which * CONTENT_HASH_BYTES;
    return Buffer.from(this.#hashes.subarray(at, at + CONTENT_HASH_BYTES));
  }

  #putHash(index: number, which: number, hash: Buffer): void {
    this.#hashes.set(hash, index * HASHES_BYTES + which * CONTENT_HASH_BYTES);
  }
}

/** Messages of the next turns that are to fit as well. */
const MORE_MESSAGES = 6;
/** Of recipe and of pieces, what such a message has, about. */
const MESSAGE_BYTES = 64;

function withReserve(size: number, least: number): number {
  return size + Math.max(size >> 2, least);
}
