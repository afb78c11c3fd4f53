import { describe, expect, it } from 'vitest';

import { parseDomain } from './domain.ts';

describe('parseDomain', () => {
  it.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM:3000', 'api.example.com'],
    ['localhost:65535', 'localhost'],
    ['example.com.', 'example.com'],
    ['my_service', 'my_service'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:3000', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
  ])('of %s is %s', (host, domain) => {
    expect(parseDomain(host)).toBe(domain);
    // The second time from memory.
    expect(parseDomain(host)).toBe(domain);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a/b',
    '../etc',
    'a..b',
    '.a',
    '-a',
    'a-.b',
    'a:port',
    'a:',
    'a:123456',
    'a@b',
    'a%00',
    "a'b",
    '<script>',
    '::1',
    '[::1',
    '[::1]x',
    '[fe80::1%eth0]',
    '[1.2.3.4]',
    'caf\u00e9',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(130)}com`,
  ])('of %j is undefined', (host) => {
    expect(parseDomain(host)).toBeUndefined();
  });
});
