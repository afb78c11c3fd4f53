import { describe, expect, it } from 'vitest';
import { sameOrigin } from './same-origin.ts';

describe('sameOrigin', () => {
  it.each([
    [{ 'sec-fetch-site': 'same-origin', host: 'x' }, true],
    [{ 'sec-fetch-site': 'none', host: 'x' }, true],
    [{ 'sec-fetch-site': 'same-site', host: 'x' }, false],
    [{ 'sec-fetch-site': 'cross-site', host: 'x' }, false],
    [{ 'sec-fetch-site': 'cross-site', host: 'x', origin: 'http://x' }, false],
    [{ host: 'nexus.example', origin: 'http://nexus.example' }, true],
    [{ host: 'nexus.example:3001', origin: 'http://nexus.example:3001' }, true],
    [{ host: 'nexus.example:443', origin: 'https://nexus.example' }, true],
    [{ host: 'nexus.example:3001', origin: 'http://nexus.example:3002' }, false],
    [{ host: 'nexus.example', origin: 'http://nexus.example.evil.example' }, false],
    [{ host: 'nexus.example', origin: 'null' }, false],
    [{ host: 'inner', 'x-forwarded-host': 'nexus.example, inner', origin: 'https://nexus.example' }, true],
    [{ host: undefined, origin: 'http://nexus.example' }, false],
    [{ host: 'nexus.example' }, true],
  ])('%j: %s', (headers, expected) => {
    expect(sameOrigin(headers)).toBe(expected);
  });
});
