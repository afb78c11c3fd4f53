import { isIPv6 } from 'node:net';

export interface Allowance {
  /** Failures allowed at once. */
  readonly burst: number;
  /** One more is allowed after each interval. Milliseconds. */
  readonly intervalMs: number;
}

export interface AttemptLimiterOptions {
  readonly perAddress: Allowance;
  /** Over all addresses, for guesses that come from many. */
  readonly global: Allowance;
  /** Addresses remembered; beyond it the one that failed longest ago is forgotten. */
  readonly maxAddresses: number;
  /** Milliseconds of a clock. */
  readonly now: () => number;
}

/**
 * Counts failed logins only: as leaky buckets, each one number, "when this bucket would be empty". What happens while a
 * bucket is full is for the caller to decide.
 */
export class AttemptLimiter {
  readonly #options: AttemptLimiterOptions;
  readonly #emptyAt = new Map<string, number>();
  #globalEmptyAt = 0;

  constructor(options: AttemptLimiterOptions) {
    this.#options = options;
  }

  /** Seconds until another failure of this address is within the limit; 0 for now. */
  waitSeconds(address: string): number {
    const { perAddress, global } = this.#options;
    const own = this.#overflowMs(this.#emptyAt.get(bucketOf(address)) ?? 0, perAddress);
    return Math.ceil(Math.max(own, this.#overflowMs(this.#globalEmptyAt, global)) / 1000);
  }

  /** An attempt from this address failed. */
  failed(address: string): void {
    const { perAddress, global, maxAddresses, now } = this.#options;
    const bucket = bucketOf(address);
    const emptyAt = Math.max(this.#emptyAt.get(bucket) ?? 0, now()) + perAddress.intervalMs;
    this.#globalEmptyAt = Math.max(this.#globalEmptyAt, now()) + global.intervalMs;
    // Deleting first moves the entry to the end: the map stays in the order of the last failure.
    this.#emptyAt.delete(bucket);
    this.#emptyAt.set(bucket, emptyAt);
    for (const oldest of this.#emptyAt.keys()) {
      if (this.#emptyAt.size <= maxAddresses) break;
      this.#emptyAt.delete(oldest);
    }
  }

  /** Addresses remembered at the moment. */
  get size(): number {
    return this.#emptyAt.size;
  }

  #overflowMs(emptyAt: number, { burst, intervalMs }: Allowance): number {
    return Math.max(0, emptyAt - this.#options.now() - (burst - 1) * intervalMs);
  }
}

/** A household or a host has a whole IPv6 /64, so that is the unit there. */
function bucketOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1).join('').split('::');
  const left = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - tail.split(':').filter(Boolean).length;
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...(tail ?? '').split(':')];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':');
}
