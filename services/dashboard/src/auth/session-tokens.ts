import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

export interface SessionTokensOptions {
  /** The dashboard key; another key makes all tokens invalid. */
  readonly key: string;
  /** Life of a token in milliseconds. */
  readonly lifetimeMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface SessionToken {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

const SHAPE = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
/** Clocks of replicas differ a little: a token may come from the near future. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Session tokens that need no store: `<expiry>.<nonce>.<HMAC>` under a key derived from the dashboard key, so that
 * every replica accepts what another one issued. Nobody without the key can make one, hence no session fixation.
 */
export class SessionTokens {
  readonly #options: SessionTokensOptions;
  readonly #macKey: Buffer;

  constructor(options: SessionTokensOptions) {
    this.#options = options;
    this.#macKey = Buffer.from(hkdfSync('sha256', options.key, '', 'claude-nexus dashboard session 1', 32));
  }

  issue(): SessionToken {
    const expiresAt = this.#options.now() + this.#options.lifetimeMs;
    const payload = `${expiresAt.toString(36)}.${randomBytes(16).toString('base64url')}`;
    return { token: `${payload}.${this.#mac(payload).toString('base64url')}`, expiresAt };
  }

  /** Expiry (epoch milliseconds) of a valid token, undefined for any other text. */
  verify(token: string): number | undefined {
    const [, expiry = '', nonce = '', mac = ''] = SHAPE.exec(token) ?? [];
    const given = Buffer.from(mac, 'base64url');
    const expected = this.#mac(`${expiry}.${nonce}`);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const expiresAt = Number.parseInt(expiry, 36);
    const left = expiresAt - this.#options.now();
    return left > 0 && left <= this.#options.lifetimeMs + CLOCK_SKEW_MS ? expiresAt : undefined;
  }

  /** True for a session past half of its life, which should be renewed while it is in use. */
  aging(expiresAt: number): boolean {
    return expiresAt - this.#options.now() < this.#options.lifetimeMs / 2;
  }

  #mac(payload: string): Buffer {
    return createHmac('sha256', this.#macKey).update(payload).digest();
  }
}
