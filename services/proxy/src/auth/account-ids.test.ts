import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { AccountIds } from './account-ids.ts';

function expected(credential: string, key: string): string {
  return createHmac('sha256', key).update(credential, 'latin1').digest('hex').slice(0, 32);
}

describe('the id of a pass-through account', () => {
  it('is the first half of an HMAC-SHA-256 under the key of the deployment', () => {
    expect(new AccountIds('a key').of('sk-ant-1')).toBe(expected('sk-ant-1', 'a key'));
  });

  it('stays that of its own credential whatever came before', () => {
    const ids = new AccountIds('a key');
    const credentials = Array.from({ length: 2500 }, (_, i) => `sk-ant-${i % 1250}${'x'.repeat(i % 600)}`);
    for (const credential of credentials) expect(ids.of(credential)).toBe(expected(credential, 'a key'));
  });
});
