import { describe, expect, it } from 'vitest';
import { printJson } from './print-json.ts';

describe('printJson', () => {
  it.each([
    [{ a: [1, 'x', null], b: {}, c: [], 'd"': { e: true } }],
    [[]],
    ['text'],
    [3],
    [null],
    [JSON.parse('{"__proto__":1,"a":1e400}') as unknown],
  ])('prints %j as JSON.stringify does', (value) => {
    expect(printJson(value, 1_000)).toEqual({ text: JSON.stringify(value, null, 2), truncated: false });
  });

  it('stops reading a long list when it has printed enough', () => {
    let read = 0;
    const list = new Proxy(
      Array.from({ length: 100_000 }, () => 0),
      {
        get: (target, name, receiver) => {
          read += 1;
          return Reflect.get(target, name, receiver) as unknown;
        },
      },
    );
    expect(printJson(list, 100)).toMatchObject({ truncated: true });
    expect(read).toBeLessThan(200);
  });

  it('stops at a depth no real value has', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`);
    const { text, truncated } = printJson(deep, 1_000_000);
    expect(truncated).toBe(true);
    expect(text.split('\n')).toHaveLength(65);
  });

  it('cuts a long string before it is escaped', () => {
    expect(printJson('\u0000'.repeat(10), 3)).toEqual({ text: '"\\u', truncated: true });
  });
});
