import { createHmac } from 'node:crypto';

/** 128 bits: enough that two accounts never share an id, short enough to read. */
const ACCOUNT_ID_BYTES = 16;

/** An HMAC costs as much as a tenth of forwarding a small request, and a team uses the same few credentials all day. */
const REMEMBERED = 1000;
/** A real credential is shorter; what is longer must not fill the memory. */
const REMEMBERED_CHARACTERS = 512;

/**
 * What is stored of a pass-through credential: a keyed hash, the same on every replica with the same key and
 * useless without it.
 */
export class AccountIds {
  readonly #key: string;
  readonly #known = new Map<string, string>();

  /** @param key ACCOUNT_HASH_KEY */
  constructor(key: string) {
    this.#key = key;
  }

  of(credential: string): string {
    const known = this.#known.get(credential);
    if (known !== undefined) return known;
    const id = createHmac('sha256', this.#key)
      .update(credential, 'latin1')
      .digest()
      .subarray(0, ACCOUNT_ID_BYTES)
      .toString('hex');
    if (credential.length <= REMEMBERED_CHARACTERS) this.#remember(credential, id);
    return id;
  }

  #remember(credential: string, id: string): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(credential, id);
  }
}
