import { Random } from '../fixtures/random.ts';

const SYLLABLES =
  'ba be co da di el en er es fi ga ge ha in ka la le li lo ma me mi mo na ne no on or pa pe ra re ri ro sa se si so ta te ti to tra un ve vi'.split(
    ' ',
  );
const VOCABULARY = 4000;
const ENDINGS = ['. ', '. ', ', ', '.\n', ': ', ';\n  '];
const POOL_CHARACTERS = 8 * 1024 * 1024;

/** Text that compresses about as language and code do: few frequent words, many rare ones, repeated phrases. */
function makePool(random: Random): string {
  const word = (): string =>
    Array.from({ length: 1 + random.below(4) }, () => random.pick(SYLLABLES)).join('');
  const words = Array.from({ length: VOCABULARY }, word);
  const phrases: string[] = [];
  const phrase = (): string => {
    // Zipf-like: the logarithm of the rank is uniform.
    const chosen = Array.from(
      { length: 3 + random.below(9) },
      () => words[Math.floor(VOCABULARY ** random.next()) - 1] ?? '',
    );
    const made = chosen.join(' ') + random.pick(ENDINGS);
    if (phrases.length < 300) phrases.push(made);
    else phrases[random.below(300)] = made;
    return made;
  };
  const parts: string[] = [];
  for (let length = 0; length < POOL_CHARACTERS;) {
    const part = phrases.length === 300 && random.next() < 0.35 ? random.pick(phrases) : phrase();
    parts.push(part);
    length += part.length;
  }
  return parts.join('').slice(0, POOL_CHARACTERS);
}

/** The same text in every process that makes one; a stretch of it is handed out once, until all are used up. */
export class TextPool {
  readonly #pool = makePool(new Random(1));
  #at = 0;
  #round = 0;

  /** So many characters not handed out before; after the whole pool the stretches begin elsewhere. */
  take(characters: number): string {
    if (this.#at + characters > this.#pool.length) {
      this.#round++;
      this.#at = (this.#round * 7919) % 65_536;
    }
    const text = this.#pool.slice(this.#at, this.#at + characters);
    this.#at += characters;
    return text;
  }

  /** So many characters on one line, the same for the same `seed`. */
  line(seed: number, characters: number): string {
    const start = Math.imul(seed, 2_654_435_761) >>> 0;
    const from = start % (this.#pool.length - characters);
    return this.#pool.slice(from, from + characters).replaceAll('\n', ' ');
  }
}
