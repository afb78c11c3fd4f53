import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { endOfLiteral, escapeLoneSurrogates, readRawObject } from './raw-json.ts';

describe('readRawObject', () => {
  it('locates every member of an object as spelled', () => {
    const text = ' { "a" : 1.0e+2 , "b":"x\\"}", "c\\u0064": [{"]":"}"},[]] ,"e":{"a":null}, "f":true} ';
    const { members, duplicateKeys, end } = readRawObject(text);
    const values = Array.from(members, ([name, { key, start, end: after }]) => [
      name,
      key,
      text.slice(start, after),
    ]);
    expect(values).toEqual([
      ['a', '"a"', '1.0e+2'],
      ['b', '"b"', '"x\\"}"'],
      ['cd', '"c\\u0064"', '[{"]":"}"},[]]'],
      ['e', '"e"', '{"a":null}'],
      ['f', '"f"', 'true'],
    ]);
    expect(duplicateKeys).toBe(false);
    expect(end).toBe(text.length - 1);
  });

  it('lets the last of equal keys win and reports them', () => {
    const text = '{"a":1,"\\u0061":2}';
    const { members, duplicateKeys } = readRawObject(text);
    const a = members.get('a');
    expect(text.slice(a?.start, a?.end)).toBe('2');
    expect(duplicateKeys).toBe(true);
  });

  it('agrees with JSON.parse on any object', () => {
    const spaces = fc.constantFrom(undefined, 1, '\t');
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), spaces, (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        const { members } = readRawObject(text);
        const read = Array.from(members, ([name, { start, end }]) => [
          name,
          JSON.parse(text.slice(start, end)),
        ]);
        expect(read).toEqual(Object.entries(JSON.parse(text)));
      }),
      { seed: 20261123, numRuns: 500 },
    );
  });

  it('passes over a value nested 200,000 deep', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(readRawObject(`{"a":${deep}}`).members.get('a')?.end).toBe(400_005);
  });
});

describe('endOfLiteral', () => {
  it.each<[text: string, expected: number]>([
    ['abc"}', 3],
    ['"', 0],
    ['a\\"b"', 4],
    ['a\\\\"b', 3],
    ['a\\\\\\"b"', 6],
    ['a"\\"', 1],
    ['\\u0041"', 6],
    ['abc', -1],
    ['a\\"', -1],
    ['a\\u00"', -1],
    ['a\\u004"', -1],
    ['a\\u"', -1],
    ['', -1],
  ])('finds the end of %j', (text, expected) => {
    expect(endOfLiteral(text, 0)).toBe(expected);
  });

  it('does not look at what stands before the start', () => {
    expect(endOfLiteral('"\\u"x"', 4)).toBe(5);
  });
});

describe('escapeLoneSurrogates', () => {
  it.each([
    ['"😀 ü"', '"😀 ü"'],
    ['"\ud83d"', '"\\ud83d"'],
    ['"\ude00\ud83d\ude00\ud83d"', '"\\ude00😀\\ud83d"'],
  ])('turns %j into text that UTF-8 can carry', (text, expected) => {
    expect(escapeLoneSurrogates(text)).toBe(expected);
    expect(JSON.parse(escapeLoneSurrogates(text))).toBe(JSON.parse(text));
  });
});
