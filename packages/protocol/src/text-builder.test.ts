import { describe, expect, it } from 'vitest';

import { TextBuilder } from './text-builder.ts';

describe('TextBuilder', () => {
  it.each([0, 1, 511, 512, 513, 2000])('joins %i pieces in order', (count) => {
    const builder = new TextBuilder();
    const pieces = Array.from({ length: count }, (_, index) => `${index},`);
    for (const piece of pieces) builder.append(piece);
    expect(builder.toString()).toBe(pieces.join(''));
  });
});
