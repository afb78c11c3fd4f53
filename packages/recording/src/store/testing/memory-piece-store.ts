import type { CutBody, CutNode, CutPiece } from '../body-cutter.ts';
import { hashKey } from '../content-hash.ts';
import type { CutResponse } from '../cut-response.ts';
import { StoreError } from '../errors.ts';
import { decodeFrame, encodeFrame } from '../frame.ts';
import { rebuildBody, rebuildResponse } from '../rebuild.ts';

/** The part of a request row that reading its body needs. */
export type StoredBody = Pick<CutBody, 'sha256' | 'length' | 'headHash' | 'tailHash' | 'leaf'>;

interface StoredPiece {
  frame: Buffer;
  offset: number;
  length: number;
}

/** What the database does with frames, pieces and nodes, in memory and for one week. */
export class MemoryPieceStore {
  readonly #pieces = new Map<string, StoredPiece>();
  readonly #nodes = new Map<string, CutNode>();
  readonly #asFrames: boolean;
  frameBytes = 0;
  recipeBytes = 0;

  /** @param options.asFrames false: keeps pieces as they are, which is faster */
  constructor(options: { asFrames: boolean }) {
    this.#asFrames = options.asFrames;
  }

  get pieceCount(): number {
    return this.#pieces.size;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  /** Stores what is missing of a cut body, in one frame. */
  putBody(cut: CutBody, meta: unknown = {}): void {
    this.#putFrame(cut.pieces, meta);
    for (const node of cut.nodes) {
      if (node.parent !== undefined) this.#node(node.parent);
      const key = hashKey(node.hash);
      if (!this.#nodes.has(key)) this.recipeBytes += node.recipe.length;
      this.#nodes.set(key, node);
    }
  }

  putResponse(cut: CutResponse, meta: unknown = {}): void {
    this.#putFrame(cut.pieces, meta, { response: cut.recipe });
  }

  readBody({ sha256, length, headHash, tailHash, leaf }: StoredBody): Buffer {
    const nodes: Buffer[] = [];
    for (let at = leaf; at !== undefined;) {
      const node = this.#node(at);
      nodes.push(node.recipe);
      at = node.parent;
    }
    const head = this.#recipe(headHash);
    const tail = tailHash === undefined ? undefined : this.#recipe(tailHash);
    return rebuildBody({ head, nodes: nodes.toReversed(), tail, sha256, length }, (hash) => this.find(hash));
  }

  readResponse(cut: CutResponse): Buffer {
    return rebuildResponse(cut, (hash) => this.find(hash));
  }

  find(hash: Buffer): Buffer | undefined {
    const piece = this.#pieces.get(hashKey(hash));
    return piece?.frame.subarray(piece.offset, piece.offset + piece.length);
  }

  #recipe(hash: Buffer): Buffer {
    const recipe = this.find(hash);
    if (recipe === undefined)
      throw new StoreError('NEXUS_PIECE_MISSING', 'A head or tail recipe is not stored');
    return recipe;
  }

  #node(hash: Buffer): CutNode {
    const node = this.#nodes.get(hashKey(hash));
    if (node === undefined) throw new StoreError('NEXUS_PIECE_MISSING', 'A node is not stored');
    return node;
  }

  #putFrame(offered: readonly CutPiece[], meta: unknown, sections: Record<string, Buffer> = {}): void {
    const pieces = offered.filter(({ hash }) => !this.#pieces.has(hashKey(hash)));
    if (!this.#asFrames) {
      for (const { hash, bytes } of pieces) {
        this.#pieces.set(hashKey(hash), { frame: Buffer.from(bytes), offset: 0, length: bytes.length });
      }
      return;
    }
    const { data, offsets } = encodeFrame({ meta, sections, pieces });
    this.frameBytes += data.length;
    const frame = decodeFrame(data).bytes;
    pieces.forEach(({ hash, bytes }, index) => {
      this.#pieces.set(hashKey(hash), { frame, offset: offsets[index] as number, length: bytes.length });
    });
  }
}
