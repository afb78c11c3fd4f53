/** 32-bit words of a hash. */
const HASH_WORDS = 4;
/** Slots used before a table counts as full: beyond half, probes grow long. */
const LARGEST_SHARE = 1 / 2;

/**
 * Hashes known to be committed, per week. Forgetting costs a question, never data.
 *
 * Kept as numbers in two tables rather than as strings in a Set, of which the garbage collector would visit each at
 * every collection: the younger table is filled, then takes the place of the older one, which is emptied.
 */
export class KnownPieces {
  #younger: HashTable;
  #older: HashTable;

  /** @param slots size of each of the two tables, a power of two; half as many hashes fit */
  constructor(slots = 2 ** 18) {
    this.#younger = new HashTable(slots);
    this.#older = new HashTable(slots);
  }

  has(week: number, hash: Buffer): boolean {
    return this.#younger.has(week, hash) || this.#older.has(week, hash);
  }

  add(week: number, hash: Buffer): void {
    if (this.#younger.has(week, hash)) return;
    if (this.#younger.isFull) {
      [this.#younger, this.#older] = [this.#older, this.#younger];
      this.#younger.clear();
    }
    this.#younger.add(week, hash);
  }

  clear(): void {
    this.#younger.clear();
    this.#older.clear();
  }
}

/** Open addressing, linear probing: a slot is the words of a hash, the first mixed with the week. */
class HashTable {
  readonly #slots: number;
  readonly #words: Uint32Array;
  #used = 0;

  constructor(slots: number) {
    this.#slots = slots;
    this.#words = new Uint32Array(slots * HASH_WORDS);
  }

  get isFull(): boolean {
    return this.#used >= this.#slots * LARGEST_SHARE;
  }

  has(week: number, hash: Buffer): boolean {
    return this.#words[this.#find(week, hash) + 3] !== 0;
  }

  add(week: number, hash: Buffer): void {
    const at = this.#find(week, hash);
    if (this.#words[at + 3] !== 0) return;
    this.#used++;
    this.#words[at] = (hash.readUInt32LE(0) ^ week) >>> 0;
    this.#words[at + 1] = hash.readUInt32LE(4);
    this.#words[at + 2] = hash.readUInt32LE(8);
    this.#words[at + 3] = markOf(hash);
  }

  clear(): void {
    if (this.#used > 0) this.#words.fill(0);
    this.#used = 0;
  }

  /** Index of the slot that holds the hash, or of the free one it would take. */
  #find(week: number, hash: Buffer): number {
    const words = this.#words;
    const a = (hash.readUInt32LE(0) ^ week) >>> 0;
    const b = hash.readUInt32LE(4);
    const c = hash.readUInt32LE(8);
    const d = markOf(hash);
    for (let slot = a & (this.#slots - 1); ; slot = (slot + 1) & (this.#slots - 1)) {
      const at = slot * HASH_WORDS;
      if (words[at + 3] === 0) return at;
      if (words[at + 3] === d && words[at] === a && words[at + 1] === b && words[at + 2] === c) return at;
    }
  }
}

/** The last word, which tells a slot that is taken: never zero. */
function markOf(hash: Buffer): number {
  return hash.readUInt32LE(12) || 1;
}
