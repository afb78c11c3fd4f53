import type { ClientKeys } from '../auth/client-keys.ts';

/** What one credential file amounts to. */
export interface DomainCredential {
  readonly domain: string;
  /** Name under which usage is counted. */
  readonly accountId: string;
  readonly clientKeys: ClientKeys;
  /** Paths forwarded besides the Messages API: exact, or a folder that ends in `/*`. */
  readonly allowedPaths: readonly string[];
  /** The one outbound credential. */
  readonly outboundHeader: readonly [name: string, value: string];
}

export interface DomainLookup {
  /**
   * @returns undefined for a domain without a file; `unusable` when there is a file, but no version of it was ever
   * good: such a domain must not fall back to pass-through, or its client keys would go upstream.
   */
  find(domain: string): DomainCredential | 'unusable' | undefined;
}
