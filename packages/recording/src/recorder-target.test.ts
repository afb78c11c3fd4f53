import { describe, expect, it } from 'vitest';

import { storedTarget } from './recorder-target.ts';

describe('the stored request target', () => {
  it.each([
    ['/v1/messages', '/v1/messages'],
    ['/v1/messages?beta=true', '/v1/messages?beta=true'],
    ['/v1/models?limit=1000&after_id=claude-opus-5', '/v1/models?limit=1000&after_id=claude-opus-5'],
    ['/v1/messages?key=secret&beta=true', '/v1/messages?key=***&beta=true'],
    ['/v1/messages?secret', '/v1/messages?***'],
    ['/v1/messages?beta=<secret>', '/v1/messages?beta=***'],
    ['/v1/messages?beta=sk-ant-secret', '/v1/messages?beta=***'],
    ['/v1/messages?a%20secret=1', '/v1/messages?***'],
    ['/v1/messages?sk-ant-secret=1', '/v1/messages?***=***'],
    ['/v1/messages?', '/v1/messages?'],
    ['/v1/messages?beta&&beta=', '/v1/messages?beta&&beta='],
    ['/v1/sk-ant-secret/x', '/v1/***/x'],
    ['/v1/risk-assessment', '/v1/risk-assessment'],
  ])('of %s is %s', (target, stored) => {
    expect(storedTarget(target)).toBe(stored);
  });

  it('is bounded', () => {
    expect(storedTarget(`/${'a'.repeat(100_000)}?${'b&'.repeat(100_000)}`).length).toBeLessThan(9000);
  });
});
