import { sha256 } from './content-hash.ts';
import { StoreError } from './errors.ts';
import { readRecipe } from './recipe.ts';

/** Finds the bytes of a piece; undefined if it is not there. */
export type PieceLookup = (hash: Buffer) => Buffer | undefined;

/** What a text is expected to be. */
export interface Expected {
  sha256: Buffer;
  length: number;
}

/** The encoded recipes a stored body consists of. */
export interface BodyRecipes {
  head: Buffer;
  /** Recipes of the message nodes, first message first. */
  nodes: readonly Buffer[];
  /** Undefined for a body stored whole. */
  tail: Buffer | undefined;
}

/**
 * The exact bytes of a request body.
 *
 * @throws StoreError NEXUS_PIECE_MISSING, NEXUS_RECIPE_INVALID, NEXUS_BODY_MISMATCH
 */
export function rebuildBody(source: BodyRecipes & Expected, lookup: PieceLookup): Buffer {
  const { head, nodes, tail } = source;
  return assemble(tail === undefined ? [head, ...nodes] : [head, ...nodes, tail], source, lookup);
}

/**
 * The exact bytes of an answer from its one recipe.
 *
 * @throws StoreError NEXUS_PIECE_MISSING, NEXUS_RECIPE_INVALID, NEXUS_BODY_MISMATCH
 */
export function rebuildResponse(source: { recipe: Buffer } & Expected, lookup: PieceLookup): Buffer {
  return assemble([source.recipe], source, lookup);
}

function assemble(recipes: readonly Buffer[], expected: Expected, lookup: PieceLookup): Buffer {
  const out = Buffer.allocUnsafe(expected.length);
  let at = 0;
  for (const recipe of recipes) {
    for (const step of readRecipe(recipe)) {
      const bytes = step.kind === 'glue' ? step.bytes : requirePiece(step.hash, lookup);
      if (at + bytes.length > out.length) throw mismatch('it is longer than recorded');
      at += bytes.copy(out, at);
    }
  }
  if (at !== out.length) throw mismatch('it is shorter than recorded');
  if (!sha256(out).equals(expected.sha256)) throw mismatch('its SHA-256 differs');
  return out;
}

function requirePiece(hash: Buffer, lookup: PieceLookup): Buffer {
  const bytes = lookup(hash);
  if (bytes !== undefined) return bytes;
  const pieceHash = hash.toString('hex');
  throw new StoreError('NEXUS_PIECE_MISSING', `Piece ${pieceHash} is not stored`, { pieceHash });
}

function mismatch(why: string): StoreError {
  return new StoreError('NEXUS_BODY_MISMATCH', `The rebuilt body is not what was recorded: ${why}`);
}
