import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { type: 'minor' }) => void;

/** V8 starts to mark its whole heap when memory outside of it has grown by 64 MB: collect well before that. */
const COLLECT_AFTER_BYTES = 24 * 1024 * 1024;

/**
 * Frees body chunks before they add up. Every chunk of a body is a buffer of its own outside V8's heap and dead a
 * moment later; V8 counts them but lets them lie until its young generation is full, and long before that their sum
 * makes it mark everything there is, for tens of milliseconds of all cores. Collecting the young generation takes
 * about one.
 */
export class YoungCollector {
  readonly #collect: CollectGarbage | undefined;
  #bytes = 0;
  #scheduled = false;

  constructor(collect: CollectGarbage | undefined = findCollector()) {
    this.#collect = collect;
  }

  /** A chunk of so many bytes has come. */
  allocated(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_AFTER_BYTES || this.#scheduled || this.#collect === undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#bytes = 0;
      this.#collect?.({ type: 'minor' });
    });
  }
}

/** V8 shows its collector to a context made while the flag is set; a runtime without it goes on as before. */
export function findCollector(): CollectGarbage | undefined {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as CollectGarbage;
  } catch {
    return undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
