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
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}

/** Below this a key can be guessed in spite of the rate limit. */
export const SHORT_KEY = 16;

const LIMITS = {
  perAddress: { burst: 10, intervalMs: 30_000 },
  global: { burst: 200, intervalMs: 1_000 },
  maxAddresses: 10_000,
};

/** How long the answer to a wrong key beyond the limit is held back, and how many at a time. */
const PENALTY = { ms: 1000, atOnce: 100 };

/**
 * Decides who a request comes from, and limits guessing of the key. Many people may share an address: what a few of
 * them do wrong must not lock the others out, so the right key is always taken. Wrong ones beyond the limit are answered
 * late and with 429; a guesser with many connections is left with the length of the key. Only a short one, which does
 * not withstand that, is not even looked at beyond the limit.
 */
export class Authenticator {
  readonly sessions: SessionTokens;
  readonly #matches: (candidate: string) => boolean;
  readonly #onFailure: () => void;
  readonly #wait: AuthenticatorOptions['wait'];
  readonly #shortKey: boolean;
  #penalties = 0;
  /** Apart, so that a forgotten script with an old key does not keep people from logging in. */
  readonly #limiters: { readonly login: AttemptLimiter; readonly header: AttemptLimiter };

  constructor(options: AuthenticatorOptions) {
    this.sessions = new SessionTokens({ key: options.key, lifetimeMs: SESSION_MS, now: options.now });
    this.#matches = createKeyCheck(options.key);
    this.#onFailure = options.onFailure;
    this.#wait = options.wait;
    this.#shortKey = options.key.length < SHORT_KEY;
    const limits = { ...LIMITS, now: options.now };
    this.#limiters = { login: new AttemptLimiter(limits), header: new AttemptLimiter(limits) };
  }

  /**
   * The caller, or undefined for none. A valid cookie wins over headers: an authenticating gateway in front may add
   * an Authorization header of its own.
   *
   * @throws {TooManyAttemptsError} for a wrong key, when too many came from the address
   */
  async identify(request: FastifyRequest): Promise<Caller | undefined> {
    const token = request.cookies[SESSION_COOKIE];
    const expiresAt = token === undefined ? undefined : this.sessions.verify(token);
    if (expiresAt !== undefined) return { method: 'cookie', expiresAt };
    const keys = keysIn(request);
    if (keys.length === 0) return undefined;
    return (await this.#check('header', request.ip, keys)) ? { method: 'key' } : undefined;
  }

  /**
   * A new session for the right key, undefined for a wrong one.
   *
   * @throws {TooManyAttemptsError} for a wrong key, when too many came from the address
   */
  async login(address: string, key: string): Promise<SessionToken | undefined> {
    return (await this.#check('login', address, [key])) ? this.sessions.issue() : undefined;
  }

  async #check(way: 'login' | 'header', address: string, keys: readonly string[]): Promise<boolean> {
    const limiter = this.#limiters[way];
    const wait = limiter.waitSeconds(address);
    if (wait > 0 && this.#shortKey) throw new TooManyAttemptsError(wait);
    // Every key is compared, so that the time does not tell which one was right.
    const right = keys.map((key) => this.#matches(key)).includes(true);
    if (right) return true;
    this.#onFailure();
    if (wait > 0) {
      await this.#penalty();
      throw new TooManyAttemptsError(wait);
    }
    limiter.failed(address);
    return false;
  }

  /** Bounded, so that guesses cannot fill the memory with answers to be given. */
  async #penalty(): Promise<void> {
    if (this.#penalties >= PENALTY.atOnce) return;
    this.#penalties += 1;
    await this.#wait(PENALTY.ms);
    this.#penalties -= 1;
  }
}

function keysIn(request: FastifyRequest): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const plain = request.headers['x-dashboard-key'];
  return [bearer, ...(Array.isArray(plain) ? plain : [plain])].filter((key) => key !== undefined);
}
