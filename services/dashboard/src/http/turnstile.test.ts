import { describe, expect, it } from 'vitest';
import { Turnstile } from './turnstile.ts';

describe('Turnstile', () => {
  it('runs no more than its limit at once, in order, failures included', async () => {
    const turnstile = new Turnstile(2);
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (n: number): Promise<number> => {
      started.push(n);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      if (n === 1) throw new Error('one fails');
      return n;
    };
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map((n) => turnstile.run(() => work(n))));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
    expect(await turnstile.run(() => work(7))).toBe(7);
  });
});
