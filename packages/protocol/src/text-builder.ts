/** Pieces joined at once: large enough to be rare, small enough that their parents are soon released. */
const BATCH = 512;

/**
 * Concatenates many small strings. A piece is usually a slice that keeps the whole chunk it was cut from alive, and
 * a long chain of `+=` keeps every piece; joining in batches copies each character twice and releases both.
 */
export class TextBuilder {
  #joined: string[] = [];
  #pieces: string[] = [];

  append(piece: string): void {
    this.#pieces.push(piece);
    if (this.#pieces.length < BATCH) return;
    this.#joined.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  toString(): string {
    return this.#joined.join('') + this.#pieces.join('');
  }
}
