import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { contentHash } from './content-hash.ts';
import { CURRENT_FRAME_VERSION, FRAME_DICTIONARIES } from './frame-dictionary.ts';
import { decodeFrame, encodeFrame } from './frame.ts';

const pieces = ['first', '', 'third ☂'].map((text) => {
  const bytes = Buffer.from(text);
  return { hash: contentHash(bytes), bytes };
});

/** A frame around a plaintext no encoder would write. */
function frameOf(plain: Buffer): Buffer {
  const dictionary = FRAME_DICTIONARIES.get(CURRENT_FRAME_VERSION) as Buffer;
  return Buffer.concat([Buffer.of(CURRENT_FRAME_VERSION), zstdCompressSync(plain, { dictionary })]);
}

function plainOf(contents: string, rest = ''): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(contents));
  return Buffer.concat([length, Buffer.from(contents + rest)]);
}

describe('a frame', () => {
  it('is packed without a dictionary when it is large', () => {
    for (const [length, version] of [
      [1000, 1],
      [200_000, 0],
    ] as const) {
      const bytes = Buffer.from('word '.repeat(length / 5));
      const { data, offsets } = encodeFrame({ meta: 'm', pieces: [{ hash: contentHash(bytes), bytes }] });
      expect(data[0]).toBe(version);
      expect(decodeFrame(data).bytes.subarray(offsets[0])).toEqual(bytes);
    }
  });

  it('gives back meta, sections, and each piece at its offset', () => {
    const meta = { headers: ['Accept', 'text/ö', 'x-api-key', null], n: 1 };
    const sections = {
      response: Buffer.from('recipe'),
      chunks: Buffer.alloc(0),
      raw: Buffer.from([0xff, 0]),
    };
    const { data, offsets } = encodeFrame({ meta, sections, pieces });
    const frame = decodeFrame(data);
    expect(frame.meta).toEqual(meta);
    expect(Object.fromEntries(frame.sections)).toEqual(sections);
    expect(
      pieces.map(({ bytes }, i) =>
        frame.bytes.toString('utf8', offsets[i], (offsets[i] as number) + bytes.length),
      ),
    ).toEqual(['first', '', 'third ☂']);
  });

  it('may be empty', () => {
    const frame = decodeFrame(encodeFrame({ meta: null, pieces: [] }).data);
    expect([frame.meta, frame.sections.size]).toEqual([null, 0]);
  });

  it('spends little on the headers of a client', () => {
    const headers = [
      'Accept',
      'application/json',
      'User-Agent',
      'claude-cli/2.1.330 (external, cli)',
      'anthropic-version',
      '2023-06-01',
      'X-Stainless-Runtime',
      'node',
    ];
    expect(encodeFrame({ meta: { headers }, pieces: [] }).data.length).toBeLessThan(60);
  });

  it('is refused above a limit before it is unpacked', () => {
    const bytes = Buffer.alloc(100_000);
    const { data } = encodeFrame({ meta: {}, pieces: [{ hash: contentHash(bytes), bytes }] });
    expect(() => decodeFrame(data, { limitBytes: 99_999 })).toThrow(
      expect.objectContaining({ code: 'NEXUS_FRAME_TOO_LARGE' }),
    );
    expect(decodeFrame(data, { limitBytes: 200_000 }).bytes.length).toBeGreaterThan(100_000);
  });

  const valid = encodeFrame({ meta: {}, pieces }).data;
  const damaged = Buffer.from(valid);
  damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 0x40;
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['garbage', Buffer.from('garbage')],
    ['another version', Buffer.concat([Buffer.of(77), valid.subarray(1)])],
    ['half of it', valid.subarray(0, valid.length / 2)],
    ['a bit changed', damaged],
    ['less than a length', frameOf(Buffer.from([1, 0]))],
    ['contents cut off', frameOf(plainOf('{"meta":1,"sections":{}}').subarray(0, 10))],
    ['contents not JSON', frameOf(plainOf('{"meta":'))],
    ['contents null', frameOf(plainOf('null'))],
    ['no sections', frameOf(plainOf('{"meta":1}'))],
    ['a section past the end', frameOf(plainOf('{"meta":1,"sections":{"a":[0,3]}}', 'ab'))],
    ['a section before the start', frameOf(plainOf('{"meta":1,"sections":{"a":[-1,2]}}', 'ab'))],
    ['a section without a place', frameOf(plainOf('{"meta":1,"sections":{"a":["0",2]}}', 'ab'))],
  ])('is refused: %s', (_, data) => {
    expect(() => decodeFrame(data)).toThrow(expect.objectContaining({ code: 'NEXUS_FRAME_INVALID' }));
  });
});

describe('the dictionary of version 1', () => {
  it('is the one frames were written with', () => {
    expect(contentHash(FRAME_DICTIONARIES.get(1) as Buffer).toString('hex')).toBe(
      '5e9d1425356e137f261a129b5ab85a50',
    );
  });
});
