import { describe, expect, it } from 'vitest';

import { hostOf, parseHost } from './host.ts';

describe('parseHost', () => {
  it.each([
    ['api.example.com', 'api.example.com', 'api.example.com'],
    ['API.Example.COM:3000', 'api.example.com', 'api.example.com:3000'],
    ['api.example.com.', 'api.example.com', 'api.example.com'],
    ['api.example.com.:443', 'api.example.com', 'api.example.com:443'],
    ['localhost', 'localhost', 'localhost'],
    ['my_service:80', 'my_service', 'my_service:80'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['127.0.0.1:3000', '127.0.0.1', '127.0.0.1:3000'],
    ['[::1]:3000', '[::1]', '[::1]:3000'],
    ['[0:0:0:0:0:0:0:1]', '[::1]', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]', '[2001:db8::1]'],
    ['1e100.net', '1e100.net', '1e100.net'],
  ])('reads %j as domain %j and authority %j', (value, domain, authority) => {
    expect(parseHost(value)).toEqual({ domain, authority });
  });

  it.each([
    '',
    ' ',
    '.',
    '..',
    'a..b',
    '-a.example.com',
    'a-.example.com',
    'exa mple.com',
    'example.com/path',
    'user@example.com',
    'example.com:',
    'example.com:x',
    'example.com:65536',
    'example.com:123456',
    'example.com:80:80',
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '::1',
    '[::1',
    '[::1]x',
    '[fe80::1%eth0]',
    '[example.com]',
    '[1.2.3.4]',
    '../../etc/passwd',
    '<script>',
    "a'b",
    'a"b',
    'a,b',
    'b\u00fccher.example',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(130)}com`,
  ])('refuses %j', (value) => {
    expect(parseHost(value)).toBeUndefined();
  });

  it('gives the same answer when asked again', () => {
    expect(parseHost('Again.Example.com')).toEqual(parseHost('Again.Example.com'));
  });
});

describe('hostOf', () => {
  it.each<[string, string[], string | undefined]>([
    ['finds the header in any case', ['Accept', '*/*', 'HOST', 'a.example.com:1'], 'a.example.com'],
    ['refuses a request without one', ['Accept', 'host'], undefined],
    ['refuses two, even equal ones', ['Host', 'a.example.com', 'host', 'a.example.com'], undefined],
    ['refuses an invalid one', ['Host', 'a b'], undefined],
  ])('%s', (_, rawHeaders, domain) => {
    expect(hostOf(rawHeaders)?.domain).toBe(domain);
  });
});
