import { describe, expect, it } from 'vitest';
import { SessionTokens } from './session-tokens.ts';

const LIFETIME_MS = 1_000_000;

function tokens(key = 'a key', now = () => 5_000_000): SessionTokens {
  return new SessionTokens({ key, lifetimeMs: LIFETIME_MS, now });
}

describe('SessionTokens', () => {
  it('accepts its own and those of a replica with the same key until they expire', () => {
    const { token, expiresAt } = tokens().issue();
    expect(expiresAt).toBe(6_000_000);
    expect(tokens().verify(token)).toBe(expiresAt);
    expect(tokens('a key', () => 5_999_999).verify(token)).toBe(expiresAt);
    expect(tokens('a key', () => 6_000_000).verify(token)).toBeUndefined();
  });

  it('never issues the same token twice', () => {
    expect(tokens().issue().token).not.toBe(tokens().issue().token);
  });

  it('refuses tokens of another key', () => {
    expect(tokens('another key').verify(tokens().issue().token)).toBeUndefined();
  });

  it('refuses a token that lives longer than any it issues', () => {
    const long = new SessionTokens({
      key: 'a key',
      lifetimeMs: LIFETIME_MS * 2,
      now: () => 5_000_000,
    }).issue();
    expect(tokens().verify(long.token)).toBeUndefined();
  });

  it('refuses a token changed anywhere', () => {
    const { token } = tokens().issue();
    // The last character carries two unused bits: some changes to it are no change.
    const changed = Array.from({ length: token.length - 1 }, (_, at) => {
      const other = token[at] === 'A' ? 'B' : 'A';
      return token.slice(0, at) + other + token.slice(at + 1);
    });
    expect(changed.filter((forged) => tokens().verify(forged) !== undefined)).toEqual([]);
  });

  it.each(['', '.', '..', 'a.b.c', `${'z'.repeat(11)}.${'A'.repeat(22)}.${'A'.repeat(43)}`])(
    'refuses %j',
    (text) => {
      expect(tokens().verify(text)).toBeUndefined();
    },
  );

  it('finds a session old past half of its life', () => {
    expect(tokens().aging(5_500_000)).toBe(false);
    expect(tokens().aging(5_499_999)).toBe(true);
  });
});
