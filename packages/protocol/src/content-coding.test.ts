import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { decodeContent } from './content-coding.ts';

const LIMIT = 1024 * 1024;
const TEXT = Buffer.from(
  Array.from({ length: 60 }, (_, index) => `data: {"n":${index * 7919}}\n\n`).join(''),
);

const CODINGS: [coding: string, encode: (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
];

describe('decodeContent', () => {
  it.each(CODINGS)('decodes %s', (coding, encode) => {
    expect(decodeContent(coding, encode(TEXT), LIMIT)).toEqual({ bytes: TEXT, truncated: false });
  });

  it.each(CODINGS)('gives the beginning of %s content cut anywhere', (coding, encode) => {
    const encoded = encode(TEXT);
    for (let cut = 0; cut < encoded.length; cut++) {
      const decoded = decodeContent(coding, encoded.subarray(0, cut), LIMIT);
      expect(decoded?.truncated, `cut at ${cut}`).toBe(false);
      expect(TEXT.subarray(0, decoded?.bytes.length).equals(decoded?.bytes ?? TEXT), `cut at ${cut}`).toBe(
        true,
      );
    }
  });

  it.each(CODINGS)('stops a decompression bomb in %s at the limit', (coding, encode) => {
    const decoded = decodeContent(coding, encode(Buffer.alloc(20 * LIMIT)), LIMIT);
    expect(decoded?.truncated).toBe(true);
    expect(decoded?.bytes.length).toBeLessThanOrEqual(LIMIT);
  });

  it('keeps most of what fits when gzip content is too long', () => {
    const lines = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join(''));
    const decoded = decodeContent('gzip', gzipSync(lines), LIMIT);
    expect(decoded?.truncated).toBe(true);
    expect(decoded?.bytes.length).toBeGreaterThan(LIMIT * 0.9);
    expect(lines.subarray(0, decoded?.bytes.length).equals(decoded?.bytes ?? lines)).toBe(true);
  });

  it.each([
    ['a list in the order applied', 'gzip, br', brotliCompressSync(gzipSync(TEXT))],
    ['identity inside a list', 'identity, gzip', gzipSync(TEXT)],
    ['upper case and white space', ' GZIP ,', gzipSync(TEXT)],
    ['no coding at all', undefined, TEXT],
    ['an empty header', '', TEXT],
    [
      'several gzip members',
      'gzip',
      Buffer.concat([gzipSync(TEXT.subarray(0, 9)), gzipSync(TEXT.subarray(9))]),
    ],
    [
      'several zstd frames',
      'zstd',
      Buffer.concat([zstdCompressSync(TEXT.subarray(0, 9)), zstdCompressSync(TEXT.subarray(9))]),
    ],
  ])('decodes %s', (_title, encoding, bytes) => {
    expect(decodeContent(encoding, bytes, LIMIT)).toEqual({ bytes: TEXT, truncated: false });
  });

  it('caps content that is not encoded', () => {
    expect(decodeContent(undefined, TEXT, 10)).toEqual({ bytes: TEXT.subarray(0, 10), truncated: true });
  });

  it('caps several zstd frames together', () => {
    const frame = zstdCompressSync(Buffer.alloc(LIMIT));
    const decoded = decodeContent('zstd', Buffer.concat([frame, frame]), LIMIT);
    expect(decoded).toMatchObject({ truncated: true });
    expect(decoded?.bytes.length).toBeLessThanOrEqual(LIMIT);
  });

  it.each([
    ['an unknown coding', 'snappy', TEXT],
    ['a name every object has', 'constructor', TEXT],
    ['text declared as gzip', 'gzip', TEXT],
    ['text declared as br', 'br', Buffer.from('<html>not it</html>')],
    ['text declared as zstd', 'zstd', TEXT],
    ['text declared as deflate', 'deflate', Buffer.from('<html>not it</html>')],
    ['a stack of codings', 'gzip, gzip, gzip, gzip, gzip', gzipSync(TEXT)],
    [
      'thousands of zstd frames',
      'zstd',
      Buffer.concat(Array.from({ length: 300 }, () => zstdCompressSync(TEXT))),
    ],
  ])('refuses %s', (_title, encoding, bytes) => {
    expect(decodeContent(encoding, bytes, LIMIT)).toBeUndefined();
  });
});
