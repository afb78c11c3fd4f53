import { etagOf } from './etag.ts';

export interface CachedBody {
  readonly body: Buffer;
  readonly etag: string;
}

export interface ResponseCacheOptions {
  /**
   * Changes whenever stored data may have changed; undefined while that is not known (nothing is then answered from
   * the cache).
   */
  readonly version: () => number | undefined;
  /** Milliseconds of a clock. */
  readonly now: () => number;
  readonly maxBytes: number;
  /** For what changes without a note, such as dropped partitions and windows that end now. Milliseconds. */
  readonly ttlMs: number;
}

interface Entry {
  readonly version: number;
  readonly at: number;
  readonly pending: Promise<CachedBody>;
  size: number;
}

/** Size of an entry besides its body. */
const OVERHEAD = 512;

/** JSON answers by URL. Callers that ask for the same one at the same time share one computation. */
export class ResponseCache {
  readonly #options: ResponseCacheOptions;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: ResponseCacheOptions) {
    this.#options = options;
  }

  /** The answer for `url`, computed when there is no current one. Failures are passed on and not kept. */
  async get(url: string, compute: () => Promise<unknown>): Promise<CachedBody> {
    const version = this.#options.version();
    if (version === undefined) return render(compute);
    const found = this.#entries.get(url);
    if (found !== undefined && this.#current(found, version)) return found.pending;
    // Kept under the version from before the computation: a change during it makes the entry old at once.
    const entry: Entry = {
      version,
      at: this.#options.now(),
      pending: render(compute),
      size: OVERHEAD + url.length,
    };
    this.#put(url, entry);
    try {
      const result = await entry.pending;
      this.#grow(url, entry, result.body.length);
      return result;
    } catch (error) {
      if (this.#entries.get(url) === entry) this.#remove(url);
      throw error;
    }
  }

  #current(entry: Entry, version: number): boolean {
    return entry.version === version && this.#options.now() - entry.at < this.#options.ttlMs;
  }

  #put(url: string, entry: Entry): void {
    this.#remove(url);
    this.#entries.set(url, entry);
    this.#bytes += entry.size;
    this.#evict();
  }

  #grow(url: string, entry: Entry, bytes: number): void {
    if (this.#entries.get(url) !== entry) return;
    entry.size += bytes;
    this.#bytes += bytes;
    this.#evict();
  }

  #evict(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.maxBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(url: string): void {
    const entry = this.#entries.get(url);
    if (entry === undefined) return;
    this.#entries.delete(url);
    this.#bytes -= entry.size;
  }
}

async function render(compute: () => Promise<unknown>): Promise<CachedBody> {
  const body = Buffer.from(JSON.stringify(await compute()), 'utf8');
  return { body, etag: etagOf(body) };
}
