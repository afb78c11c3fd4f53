import { describe, expect, it } from 'vitest';
import { AttemptLimiter } from './attempt-limiter.ts';

function limiter(options: { maxAddresses?: number; globalBurst?: number } = {}) {
  const clock = { now: 1_000_000 };
  const limiter = new AttemptLimiter({
    perAddress: { burst: 3, intervalMs: 10_000 },
    global: { burst: options.globalBurst ?? 100, intervalMs: 1_000 },
    maxAddresses: options.maxAddresses ?? 10,
    now: () => clock.now,
  });
  return {
    clock,
    limiter,
    fail: (address: string, times: number) =>
      times > 0 && Array.from({ length: times }, () => limiter.failed(address)),
  };
}

describe('AttemptLimiter', () => {
  it('lets as many failures pass as the burst, then one per interval', () => {
    const { clock, limiter: attempts, fail } = limiter();
    fail('192.0.2.1', 2);
    expect(attempts.waitSeconds('192.0.2.1')).toBe(0);
    fail('192.0.2.1', 1);
    expect(attempts.waitSeconds('192.0.2.1')).toBe(10);
    clock.now += 9_999;
    expect(attempts.waitSeconds('192.0.2.1')).toBe(1);
    clock.now += 1;
    expect(attempts.waitSeconds('192.0.2.1')).toBe(0);
    fail('192.0.2.1', 1);
    expect(attempts.waitSeconds('192.0.2.1')).toBe(10);
  });

  it('does not hold one address to the failures of another', () => {
    const { limiter: attempts, fail } = limiter();
    fail('192.0.2.1', 3);
    expect(attempts.waitSeconds('192.0.2.2')).toBe(0);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:0db8:0000:0000:1::', true],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('takes %s and %s for one household: %s', (one, other, same) => {
    const { limiter: attempts, fail } = limiter();
    fail(one, 3);
    expect(attempts.waitSeconds(other) > 0).toBe(same);
  });

  it('limits guesses from many addresses together', () => {
    const { limiter: attempts, fail } = limiter({ globalBurst: 5 });
    for (let n = 0; n < 5; n += 1) fail(`192.0.2.${n}`, 1);
    expect(attempts.waitSeconds('192.0.2.99')).toBe(1);
  });

  it('remembers a bounded number of addresses, the latest ones', () => {
    const { limiter: attempts, fail } = limiter({ globalBurst: 100_000 });
    fail('192.0.2.1', 3);
    for (let n = 0; n < 9; n += 1) fail(`198.51.100.${n}`, 1);
    expect(attempts.waitSeconds('192.0.2.1')).toBeGreaterThan(0);
    fail('203.0.113.1', 1);
    expect(attempts.size).toBe(10);
    expect(attempts.waitSeconds('192.0.2.1')).toBe(0);
  });
});
