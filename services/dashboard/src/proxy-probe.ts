import type { ProxyStatus } from '@claude-nexus/api-contract';

export interface ProxyProbeOptions {
  /** PROXY_API_URL. */
  readonly url: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly fetch: typeof globalThis.fetch;
}

const TIMEOUT_MS = 2_000;
/** One check serves everybody who asks within this time. */
const FRESH_MS = 10_000;

/** Asks the proxy for its health, at most every ten seconds. */
export class ProxyProbe {
  readonly #options: ProxyProbeOptions;
  #latest: Promise<ProxyStatus> | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProxyProbeOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  status(): Promise<ProxyStatus> {
    const { url, now } = this.#options;
    if (url === undefined) return Promise.resolve({ url: null, status: 'unknown', checkedAt: null });
    if (this.#latest === undefined || now() - this.#checkedAt >= FRESH_MS) {
      this.#checkedAt = now();
      this.#latest = this.#check(url);
    }
    return this.#latest;
  }

  async #check(url: string): Promise<ProxyStatus> {
    const checkedAt = new Date(this.#options.now()).toISOString();
    try {
      const address = new URL('health', url.endsWith('/') ? url : `${url}/`);
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await this.#options.fetch(address, { signal, redirect: 'manual' });
      await response.body?.cancel();
      return { url, status: response.ok ? 'up' : 'down', checkedAt };
    } catch {
      return { url, status: 'down', checkedAt };
    }
  }
}
