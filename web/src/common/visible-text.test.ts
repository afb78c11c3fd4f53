import { describe, expect, it } from 'vitest';
import { visibleText } from './visible-text.ts';

describe('visibleText', () => {
  it.each([
    ['plain text stays', 'a\tb\r\nc', 'a\tb\r\nc'],
    ['other scripts stay', 'שלום 🦊 Zürich', 'שלום 🦊 Zürich'],
    ['markup stays', '<b>&amp;</b>', '<b>&amp;</b>'],
    ['an override is named', 'a\u202Etxt.exe', 'a[U+202E]txt.exe'],
    ['isolates are named', '\u2066x\u2069', '[U+2066]x[U+2069]'],
    ['control characters get their pictures', '\u0000\u001b[31m\u007f', '␀␛[31m␡'],
    ['half a pair becomes the replacement character', 'a\ud800b', 'a\ufffdb'],
  ])('%s', (_name, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });
});
