import type { Random } from './random.ts';

const SYLLABLES =
  'ba be co da di el en er es fi ga ge ha in ka la le li lo ma me mi mo na ne no on or pa pe ra re ri ro sa se si so ta te ti to tra un ve vi'.split(
    ' ',
  );
const VOCABULARY = 4000;
const ENDINGS = ['.', '.', ',', '.\n', ':', ';\n  '];

/** Text that compresses about as written language and code do: few frequent words, many rare ones, repeated phrases. */
export class Language {
  readonly #random: Random;
  readonly #words: string[];
  #phrases: string[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#words = Array.from({ length: VOCABULARY }, () => this.#word());
  }

  text(characters: number): string {
    const parts: string[] = [];
    let length = 0;
    while (length < characters) {
      const phrase =
        this.#phrases.length > 50 && this.#random.chance(0.35)
          ? this.#random.pick(this.#phrases)
          : this.#phrase();
      parts.push(phrase);
      length += phrase.length;
    }
    return parts.join('').slice(0, characters);
  }

  #phrase(): string {
    const words = Array.from({ length: 3 + this.#random.below(9) }, () => this.#words[this.#rank()] ?? '');
    const phrase = `${words.join(' ')}${this.#random.pick(ENDINGS)} `;
    this.#phrases.push(phrase);
    if (this.#phrases.length > 400) this.#phrases = this.#phrases.slice(200);
    return phrase;
  }

  /** Zipf-like: the logarithm of the rank is uniform. */
  #rank(): number {
    return Math.floor(VOCABULARY ** this.#random.next()) - 1;
  }

  #word(): string {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.#random.pick(SYLLABLES)).join('');
  }
}
