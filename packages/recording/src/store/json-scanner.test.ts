import { describe, expect, it } from 'vitest';
import { JsonScanner, MAX_DEPTH, stringEnd } from './json-scanner.ts';
import { JsonText } from './testing/body-generator.ts';
import { Random } from './testing/random.ts';

function end(text: string, start = 0): number {
  return new JsonScanner(Buffer.from(text)).valueEnd(start, 0);
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function cuts(text: string): string[] {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(bytes);
  scanner.valueEnd(0, 0);
  const positions = [0, ...scanner.takeCuts(), bytes.length];
  return positions.slice(1).map((until, i) => bytes.toString('utf8', positions[i], until));
}

describe('stringEnd', () => {
  it.each([
    ['""', 2],
    ['"a"b', 3],
    [String.raw`"\""`, 4],
    [String.raw`"\\"`, 4],
    [String.raw`"\\\""`, 6],
    ['"', -1],
    [String.raw`"\"`, -1],
    [String.raw`"a\\\"`, -1],
    [`"${'x'.repeat(100)}"`, 102],
    [`"${'x'.repeat(46)}\\"y"`, 51],
    [`"${'x'.repeat(47)}\\"y"`, 52],
    [`"${'x'.repeat(48)}\\"y"`, 53],
    [`"${'x'.repeat(90)}\\\\"y"`, 94],
    [`"${'x'.repeat(90)}\\"y"`, 95],
  ])('of %s is %i', (text, expected) => {
    expect(stringEnd(Buffer.from(text), 0)).toBe(expected);
  });

  it('agrees with JSON for strings of every length around the change of method', () => {
    const random = new Random(7);
    const json = new JsonText(random);
    for (let i = 0; i < 3000; i++) {
      const text = Buffer.from(json.string(random.below(200)));
      expect(stringEnd(Buffer.concat([text, Buffer.from('"",')]), 0)).toBe(text.length);
    }
  });

  it('is linear in backslashes and escaped quotes', () => {
    for (const unit of ['\\\\', '\\"', `\\"${'x'.repeat(60)}`]) {
      const text = Buffer.from(`"${unit.repeat(4_000_000 / unit.length)}"`);
      expect(stringEnd(text, 0)).toBe(text.length);
    }
  });
});

describe('JsonScanner', () => {
  it.each([
    ['1', 1],
    ['-1.5e7,', 6],
    ['true}', 4],
    ['null]', 4],
    ['[]', 2],
    ['{}x', 2],
    ['{"a":[1,{"b":"]}"}]} ', 20],
    ['', -1],
    [',', -1],
    ['[', -1],
    ['{"a"', -1],
    ['["a]', -1],
  ])('finds that the value of %s ends at %i', (text, expected) => {
    expect(end(text)).toBe(expected);
  });

  it('agrees with JSON about where generated values end', () => {
    const random = new Random(11);
    const json = new JsonText(random);
    for (let i = 0; i < 2000; i++) {
      const value = json.value(0);
      expect(end(`${value},[`)).toBe(Buffer.byteLength(value));
    }
  });

  it('cuts at blocks and at long strings, wherever they stand', () => {
    const long = `"${'x'.repeat(510)}"`;
    const short = `"${'x'.repeat(509)}"`;
    expect(cuts(`{"content":[{"a":1},{"b":[[${long}]]}],"c":${short}}`)).toEqual([
      '{"content":[',
      '{"a":1}',
      ',',
      '{"b":[[',
      long,
      ']]}',
      `],"c":${short}}`,
    ]);
  });

  it('takes any depth it accepts and refuses the next without recursion', () => {
    expect(end(nested(MAX_DEPTH))).toBe(2 * MAX_DEPTH);
    expect(end(nested(MAX_DEPTH + 1))).toBe(-1);
    expect(end(nested(1_000_000))).toBe(-1);
  });
});
