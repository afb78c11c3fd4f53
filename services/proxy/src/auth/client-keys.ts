import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Unknown to anybody, so that nobody can work towards digests with a common beginning. */
const PROCESS_KEY = randomBytes(32);

/** The keys that open one domain. Holds digests only. */
export class ClientKeys {
  readonly #entries: readonly { readonly name: string; readonly digest: Buffer }[];

  constructor(keys: readonly { readonly name: string; readonly key: string }[]) {
    this.#entries = keys.map(({ name, key }) => ({ name, digest: digestOf(key) }));
  }

  get size(): number {
    return this.#entries.length;
  }

  /**
   * The name of the key that one of the candidates equals. Compares every candidate with every key, whatever
   * matches, so that the time taken says nothing about how close a guess was.
   */
  match(candidates: readonly string[]): string | undefined {
    let found: string | undefined;
    for (const candidate of candidates) {
      const digest = digestOf(candidate);
      for (const entry of this.#entries) {
        if (timingSafeEqual(digest, entry.digest)) found = entry.name;
      }
    }
    return found;
  }
}

function digestOf(key: string): Buffer {
  return createHmac('sha256', PROCESS_KEY).update(key, 'latin1').digest();
}
