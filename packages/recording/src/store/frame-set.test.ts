import { describe, expect, it } from 'vitest';

import { contentHash } from './content-hash.ts';
import { baseText } from './frame-base.ts';
import { encodeFrame } from './frame.ts';
import { FrameSet } from './frame-set.ts';
import type { StoredFrame } from './frame-set.ts';

const pieceOf = (text: string) => ({ hash: Buffer.alloc(16), bytes: Buffer.from(text) });
const words = (seed: number, count: number) =>
  Array.from({ length: count }, (_, at) => ((at * 7919 + seed * 104_729) % 99_991).toString(36)).join(' ');

/** Frames each based on the one before; `texts` are their contents. */
function chain(texts: readonly string[]): StoredFrame[] {
  let before: Buffer | undefined;
  return texts.map((text, at) => {
    const { data, plain, isBased } = encodeFrame({ meta: { at }, pieces: [pieceOf(text)], base: before });
    before = baseText(plain, isBased ? before : undefined);
    return { requestId: `r${at}`, part: 0, data, ...(isBased && { base: `r${at - 1}` }) };
  });
}

describe('FrameSet', () => {
  it.each([
    ['short texts', ['one', 'two', 'three', 'four']],
    ['texts that fill the room together', [words(1, 2000), words(2, 2000), words(1, 2000), words(3, 10)]],
    ['a text longer than the room', [words(1, 20_000), words(1, 3000), words(2, 3000)]],
    ['a frame too long to be based, in between', [words(1, 100), words(2, 9000), words(2, 100)]],
    ['a text of exactly the room', ['x'.repeat(16 * 1024 - 37), 'y', 'x']],
  ])('gives back what was packed: %s', (_name, texts) => {
    const frames = chain(texts);
    for (const order of [frames, frames.toReversed()]) {
      const set = new FrameSet(order);
      const read = frames.map(({ requestId }) => set.decode(requestId, 0)?.bytes.toString() ?? '');
      for (const [at, text] of texts.entries()) expect(read[at]?.endsWith(text)).toBe(true);
    }
  });

  it('makes a frame much smaller that has much in common with an earlier one', () => {
    const [first, second] = chain([words(1, 1500), words(1, 1500)]);
    expect(second?.data.length).toBeLessThan((first?.data.length ?? 0) / 10);
  });

  it('says that a frame is not there, and that one it is based on is missing or is itself', () => {
    const [first, second] = chain(['one', 'two']) as [StoredFrame, StoredFrame];
    expect(new FrameSet([first]).decode('r1', 0)).toBeUndefined();
    expect(new FrameSet([first]).decode('r0', 1)).toBeUndefined();
    const invalid = expect.objectContaining({ code: 'NEXUS_FRAME_INVALID' });
    expect(() => new FrameSet([second]).decode('r1', 0)).toThrow(invalid);
    expect(() => new FrameSet([{ ...second, base: 'r1' }]).decode('r1', 0)).toThrow(invalid);
  });

  it('notices a base with another text', () => {
    const frames = chain([words(1, 500), words(1, 500)]);
    const other = { ...chain([words(5, 500)])[0], requestId: 'r0' } as StoredFrame;
    expect(() => new FrameSet([other, frames[1] as StoredFrame]).decode('r1', 0)).toThrow(
      expect.objectContaining({ code: 'NEXUS_FRAME_INVALID' }),
    );
  });
});

describe('baseText', () => {
  it.each([
    [100, undefined, 100, 'f9d43e207849739fd281e896ad5ce8d7'],
    [9000, 9000, 16_384, '155078f24246a6f1b1e7813a6c9112af'],
    [20_000, 9000, 16_384, '7c6d887d7d3123357e4ee6d139f5cd3f'],
    [16_384, 9000, 16_384, '9e79a43dc15d1efc23a7df77a26bdd38'],
  ])('of %d bytes after %s is what frames in databases rely on', (length, before, kept, digest) => {
    const text = baseText(
      Buffer.from(words(1, 9000)).subarray(0, length),
      before === undefined ? undefined : Buffer.from(words(2, 9000)).subarray(0, before),
    );
    expect(text.length).toBe(kept);
    expect(contentHash(text).toString('hex')).toBe(digest);
  });
});
