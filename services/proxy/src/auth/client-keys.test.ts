import { describe, expect, it } from 'vitest';

import { ClientKeys } from './client-keys.ts';

const keys = new ClientKeys([
  { name: 'Ada', key: 'cnx-key-of-ada' },
  { name: 'Bob', key: 'cnx-key-of-bob' },
]);

describe('ClientKeys', () => {
  it.each([
    [['cnx-key-of-ada'], 'Ada'],
    [['cnx-key-of-bob'], 'Bob'],
    [['wrong', 'cnx-key-of-bob'], 'Bob'],
    [['cnx-key-of-bob', 'wrong'], 'Bob'],
    [['cnx-key-of-ad'], undefined],
    [['cnx-key-of-ada '], undefined],
    [['CNX-KEY-OF-ADA'], undefined],
    [[''], undefined],
    [[], undefined],
  ])('matches %j to %j', (candidates, name) => {
    expect(keys.match(candidates)).toBe(name);
  });

  it('matches nothing when there are no keys', () => {
    expect(new ClientKeys([]).match([''])).toBeUndefined();
  });

  it('holds no key that could be printed', () => {
    expect(JSON.stringify(keys)).not.toContain('cnx-key');
    expect(Object.values(keys)).toEqual([]);
  });
});
