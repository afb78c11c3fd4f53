import { describe, expect, it } from 'vitest';
import { previewOf } from './preview.ts';

const size = { characters: 100, lines: 3 };

describe('previewOf', () => {
  it.each([
    ['a short text', 'short', undefined],
    ['a text just over the limit', 'x'.repeat(120), undefined],
    ['a long line', 'x'.repeat(1000), 'x'.repeat(100)],
    ['many lines', 'a\nb\nc\nd\ne\nf\ng\nh', 'a\nb\nc'],
    ['a pair at the cut', `${'x'.repeat(99)}🦊${'x'.repeat(900)}`, 'x'.repeat(99)],
    ['few lines, one of them long', `a\n${'x'.repeat(1000)}`, `a\n${'x'.repeat(98)}`],
  ])('%s', (_name, text, preview) => {
    expect(previewOf(text, size)).toBe(preview);
  });
});
