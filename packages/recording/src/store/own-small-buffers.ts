import type { MessageCut, NodeState, SectionCut } from './session-memory.ts';

/** What was cut anew of a body and is to be remembered. */
export interface NewCuts {
  readonly sections: readonly SectionCut[];
  readonly messages: readonly MessageCut[];
  readonly nodes: readonly NodeState[];
}

/**
 * Moves hashes and recipes into one block of memory of their own. They come from Node's pool, where each of them would
 * keep 64 KiB alive for as long as its session is remembered.
 */
export function ownSmallBuffers({ sections, messages, nodes }: NewCuts): void {
  const block = new Block(sizeOf({ sections, messages, nodes }));
  for (const section of sections) {
    section.recipeHash = block.copy(section.recipeHash);
    section.recipe = ownRecipe(section.recipe, block);
  }
  for (const message of messages) {
    message.recipe = ownRecipe(message.recipe, block);
    message.strict = block.copy(message.strict);
    message.loose = block.copy(message.loose);
  }
  for (const node of nodes) {
    node.hash = block.copy(node.hash);
    node.strictChain = block.copy(node.strictChain);
    node.looseChain = block.copy(node.looseChain);
  }
}

type Recipe = MessageCut['recipe'];

function ownRecipe({ bytes, pieces }: Recipe, block: Block): Recipe {
  return {
    bytes: block.copy(bytes),
    pieces: pieces.map((piece) => ({ ...piece, hash: block.copy(piece.hash) })),
  };
}

function sizeOf({ sections, messages, nodes }: NewCuts): number {
  let bytes = 0;
  for (const { recipeHash, recipe } of sections) bytes += recipeHash.length + recipeSize(recipe);
  for (const { recipe, strict, loose } of messages)
    bytes += strict.length + loose.length + recipeSize(recipe);
  for (const { hash, strictChain, looseChain } of nodes) {
    bytes += hash.length + strictChain.length + looseChain.length;
  }
  return bytes;
}

function recipeSize({ bytes, pieces }: Recipe): number {
  return pieces.reduce((sum, { hash }) => sum + hash.length, bytes.length);
}

class Block {
  readonly #bytes: Buffer;
  #used = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  copy(bytes: Buffer): Buffer {
    const start = this.#used;
    this.#used += bytes.copy(this.#bytes, start);
    return this.#bytes.subarray(start, this.#used);
  }
}
