import { expect, it } from 'vitest';

import { ApiUnreachableError } from './errors.ts';
import { LineSplitter } from './line-splitter.ts';

it('cuts lines wherever chunks end, also within a character, and takes the last one without its end', () => {
  const bytes = Buffer.from('a€😀\n\nb\r\nlast');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines: string[] = [];
    const splitter = new LineSplitter(100, (line) => lines.push(line));
    splitter.push(bytes.subarray(0, cut));
    splitter.push(bytes.subarray(cut));
    splitter.end();
    expect(lines).toEqual(['a€😀', 'b', 'last']);
  }
});

it('refuses a line that is too long, however it comes', () => {
  const splitter = new LineSplitter(10, () => undefined);
  splitter.push(Buffer.from('0123456789\n'));
  splitter.push(Buffer.from('01234'));
  expect(() => splitter.push(Buffer.from('567890'))).toThrow(ApiUnreachableError);
});
