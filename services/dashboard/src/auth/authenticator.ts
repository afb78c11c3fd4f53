import type { FastifyRequest } from 'fastify';
import { TooManyAttemptsError } from '../errors.ts';
import { AttemptLimiter } from './attempt-limiter.ts';
import { createKeyCheck } from './key-check.ts';
import { SessionTokens } from './session-tokens.ts';
import type { SessionToken } from './session-tokens.ts';

/** Name of the session cookie. */
export const SESSION_COOKIE = 'claude_nexus_session';

/** Life of a session; it is renewed while a page is open. */
const SESSION_MS = 12 * 3_600_000;

/** Who sent a request. `expiresAt` (epoch milliseconds) is set for a session cookie. */
export interface Caller {
  readonly method: 'cookie' | 'key';
  readonly expiresAt?: number;
}

export interface AuthenticatorOptions {
  readonly key: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called for every wrong key. */
  readonly onFailure: () => void;
}

const LIMITS = {
  perAddress: { burst: 10, intervalMs: 30_000 },
  global: { burst: 200, intervalMs: 1_000 },
  maxAddresses: 10_000,
};

/** Decides who a request comes from, and limits guessing of the key. */
export class Authenticator {
  readonly sessions: SessionTokens;
  readonly #matches: (candidate: string) => boolean;
  readonly #onFailure: () => void;
  /** Apart, so that a forgotten script with an old key does not keep people from logging in. */
  readonly #limiters: { readonly login: AttemptLimiter; readonly header: AttemptLimiter };

  constructor(options: AuthenticatorOptions) {
    this.sessions = new SessionTokens({ key: options.key, lifetimeMs: SESSION_MS, now: options.now });
    this.#matches = createKeyCheck(options.key);
    this.#onFailure = options.onFailure;
    const limits = { ...LIMITS, now: options.now };
    this.#limiters = { login: new AttemptLimiter(limits), header: new AttemptLimiter(limits) };
  }

  /**
   * The caller, or undefined for none. A valid cookie wins over headers: an authenticating gateway in front may add
   * an Authorization header of its own.
   *
   * @throws {TooManyAttemptsError} when too many wrong keys came from the address
   */
  identify(request: FastifyRequest): Caller | undefined {
    const token = request.cookies[SESSION_COOKIE];
    const expiresAt = token === undefined ? undefined : this.sessions.verify(token);
    if (expiresAt !== undefined) return { method: 'cookie', expiresAt };
    const keys = keysIn(request);
    if (keys.length === 0) return undefined;
    return this.#check('header', request.ip, keys) ? { method: 'key' } : undefined;
  }

  /**
   * A new session for the right key, undefined for a wrong one.
   *
   * @throws {TooManyAttemptsError} when too many wrong keys came from the address
   */
  login(address: string, key: string): SessionToken | undefined {
    return this.#check('login', address, [key]) ? this.sessions.issue() : undefined;
  }

  #check(way: 'login' | 'header', address: string, keys: readonly string[]): boolean {
    const limiter = this.#limiters[way];
    const wait = limiter.waitSeconds(address);
    if (wait > 0) throw new TooManyAttemptsError(wait);
    // Every key is compared, so that the time does not tell which one was right.
    const right = keys.map((key) => this.#matches(key)).includes(true);
    if (!right) {
      limiter.failed(address);
      this.#onFailure();
    }
    return right;
  }
}

function keysIn(request: FastifyRequest): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const plain = request.headers['x-dashboard-key'];
  return [bearer, ...(Array.isArray(plain) ? plain : [plain])].filter((key) => key !== undefined);
}
