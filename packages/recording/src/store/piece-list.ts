import { CONTENT_HASH_BYTES } from './content-hash.ts';

/** A piece found while cutting; `start` counts from the beginning of the text it was found in. */
export interface PieceReference {
  hash: Buffer;
  start: number;
  length: number;
}

const START = CONTENT_HASH_BYTES;
const LENGTH = START + 4;
const RECORD_BYTES = LENGTH + 4;

/**
 * Where the pieces of a text are, and their hashes, in one buffer: thousands of texts are remembered, and every object
 * among what is remembered is visited by each full garbage collection.
 */
export class PieceList {
  readonly records: Buffer;

  constructor(records: Buffer) {
    this.records = records;
  }

  /** Room for so many pieces, to be filled with `put`. */
  static ofSize(count: number): PieceList {
    return new PieceList(Buffer.allocUnsafe(count * RECORD_BYTES));
  }

  get count(): number {
    return this.records.length / RECORD_BYTES;
  }

  /** A view of the records. */
  hash(index: number): Buffer {
    const at = index * RECORD_BYTES;
    return this.records.subarray(at, at + CONTENT_HASH_BYTES);
  }

  /** Writes a hash to `target` at `at`, and answers the position after it. */
  copyHash(index: number, target: Buffer, at: number): number {
    const start = index * RECORD_BYTES;
    return at + this.records.copy(target, at, start, start + CONTENT_HASH_BYTES);
  }

  start(index: number): number {
    return this.records.readUInt32LE(index * RECORD_BYTES + START);
  }

  length(index: number): number {
    return this.records.readUInt32LE(index * RECORD_BYTES + LENGTH);
  }

  put(index: number, { hash, start, length }: PieceReference): void {
    const at = index * RECORD_BYTES;
    this.records.set(hash, at);
    this.records.writeUInt32LE(start, at + START);
    this.records.writeUInt32LE(length, at + LENGTH);
  }

  *[Symbol.iterator](): Generator<PieceReference> {
    for (let index = 0; index < this.count; index++) {
      yield { hash: this.hash(index), start: this.start(index), length: this.length(index) };
    }
  }
}
