import { describe, expect, it } from 'vitest';

import { keepsHeaderValue, storedHeaders } from './recorder-headers.ts';

describe('header values', () => {
  it.each([
    'anthropic-version',
    'Anthropic-Beta',
    'anthropic-ratelimit-unified-5h-utilization',
    'X-Claude-Code-Session-Id',
    'x-stainless-retry-count',
    'x-app',
    'User-Agent',
    'Content-Type',
    'content-encoding',
    'Accept',
    'accept-encoding',
    'request-id',
    'Retry-After',
    'x-ratelimit-remaining',
    'ratelimit-reset',
  ])('of %s are kept', (name) => {
    expect(keepsHeaderValue(name)).toBe(true);
  });

  it.each([
    'Authorization',
    'x-api-key',
    'Cookie',
    'set-cookie',
    'proxy-authorization',
    'x-claude-code-managed-settings-checksum',
    'x-app-token',
    'x-user-agent',
    'x-should-retry',
    'server',
    'x-goog-api-key',
    '',
  ])('of %j are not', (name) => {
    expect(keepsHeaderValue(name)).toBe(false);
  });

  it('go, names stay, in order and with duplicates', () => {
    expect(storedHeaders(['Accept', 'a', 'X-Api-Key', 'k', 'accept', 'b', 'X-API-KEY', 'l'])).toEqual(
      [
        ['Accept', 'a'],
        ['X-Api-Key', null],
        ['accept', 'b'],
        ['X-API-KEY', null],
      ].flat(),
    );
  });

  it('are bounded in sum', () => {
    const many = Array.from({ length: 4000 }, (_, index) => (index % 2 === 0 ? 'accept' : 'v'.repeat(1000)));
    expect(JSON.stringify(storedHeaders(many)).length).toBeLessThan(200_000);
  });
});
