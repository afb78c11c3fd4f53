/** Changes closer together than this are one episode. */
const GAP_MS = 10_000;

/** Says which changes of a condition that may flutter are worth telling: its begin once, its end if the begin was told. */
export class Episode {
  readonly #now: () => number;
  #toldAt = Number.NEGATIVE_INFINITY;
  #told = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  changes(active: boolean): boolean {
    if (active) {
      if (this.#told || this.#now() - this.#toldAt < GAP_MS) return false;
      this.#toldAt = this.#now();
      this.#told = true;
      return true;
    }
    const told = this.#told;
    this.#told = false;
    return told;
  }
}
