import { describe, expect, it } from 'vitest';
import { routeOf } from './routes.ts';

const ID = '0193a1b2-0000-7000-8000-000000000000';

describe('routeOf', () => {
  it.each([
    ['http://x/', 'http://x/', { page: 'requests', search: '' }],
    ['http://x/requests?kind=main', 'http://x/', { page: 'requests', search: '?kind=main' }],
    [`http://x/requests/${ID}`, 'http://x/', { page: 'request', id: ID }],
    [`http://x/nexus/requests/${ID}`, 'http://x/nexus/', { page: 'request', id: ID }],
    ['http://x/nexus/', 'http://x/nexus/', { page: 'requests', search: '' }],
    ['http://x/connect', 'http://x/', { page: 'connect' }],
    ['http://evil/requests', 'http://x/', { page: 'not-found' }],
    ['http://x/requests', 'http://x/nexus/', { page: 'not-found' }],
    ['http://x/requests/..%2fevil', 'http://x/', { page: 'not-found' }],
    ['http://x/other', 'http://x/', { page: 'not-found' }],
  ])('%s under %s', (address, base, route) => {
    expect(routeOf(address, base)).toEqual(route);
  });
});
