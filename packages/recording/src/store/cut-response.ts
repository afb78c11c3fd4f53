import type { CutPiece } from './body-cutter.ts';
import { hashKey, sha256 } from './content-hash.ts';
import { JsonScanner, skipSpace } from './json-scanner.ts';
import { buildRecipe } from './recipe.ts';

/** An answer, ready to be stored; `recipe` belongs into the frame of the answer. */
export interface CutResponse {
  sha256: Buffer;
  length: number;
  recipe: Buffer;
  /** What the recipe refers to, each hash once. */
  pieces: CutPiece[];
}

/**
 * Cuts an answer (the exact bytes, or the assembled message) by the rule for messages, so that what the next request
 * sends back of it is the same pieces. Anything but one JSON value is a single piece. Never throws on any content.
 */
export function cutResponse(body: Buffer): CutResponse {
  const scanner = new JsonScanner(body);
  const isJson = skipSpace(body, scanner.valueEnd(skipSpace(body, 0), 0)) === body.length;
  const recipe = buildRecipe(body, isJson ? scanner.takeCuts() : []);
  const pieces = new Map<string, CutPiece>();
  for (const { hash, start, length } of recipe.pieces) {
    pieces.set(hashKey(hash), { hash, bytes: body.subarray(start, start + length) });
  }
  return { sha256: sha256(body), length: body.length, recipe: recipe.bytes, pieces: [...pieces.values()] };
}
