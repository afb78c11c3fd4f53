import { hashKey } from '../store/index.ts';

/** Hashes known to be committed, per week; the oldest are forgotten first. Forgetting costs a question, never data. */
export class KnownPieces {
  readonly #limit: number;
  readonly #keys = new Set<string>();

  /** @param limit number of hashes remembered; one takes about 100 bytes */
  constructor(limit = 200_000) {
    this.#limit = limit;
  }

  has(week: number, hash: Buffer): boolean {
    return this.#keys.has(keyOf(week, hash));
  }

  add(week: number, hash: Buffer): void {
    const key = keyOf(week, hash);
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size <= this.#limit) return;
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#keys.clear();
  }
}

function keyOf(week: number, hash: Buffer): string {
  return `${week}:${hashKey(hash)}`;
}
