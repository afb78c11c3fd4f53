import { describe, expect, it } from 'vitest';

import { encodeFrame } from '../store/index.ts';
import { FrameBases } from './frame-bases.ts';
import type { FramePlace } from './frame-bases.ts';

const SERIES = { name: 'scope\nsession\n\n0', week: 1 };

/** A frame of about so many bytes. */
function frameOf(place: FramePlace, bytes: number) {
  const text = Buffer.from(`turn ${place.turn} `.repeat(bytes / 8));
  return encodeFrame({
    meta: {},
    pieces: [{ hash: Buffer.alloc(16), bytes: text }],
    base: place.base?.text,
  });
}

/** Takes so many places one after the other, adding each; answers on which turn each was based. */
function play(bases: FrameBases, turns: number, bytes = 1000): (number | undefined)[] {
  return Array.from({ length: turns }, (_, turn) => {
    const place = bases.place({ ...SERIES, requestId: String(turn) });
    bases.add(place, frameOf(place, bytes));
    return place.base === undefined ? undefined : Number(place.base.requestId);
  });
}

describe('FrameBases', () => {
  it('bases a frame on that of its turn without the lowest bit', () => {
    expect(play(new FrameBases(), 9)).toEqual([undefined, 0, 0, 2, 0, 4, 4, 6, 0]);
  });

  it('goes through six frames at most, and starts again after 64 turns', () => {
    const based = play(new FrameBases(), 65);
    const depth = (turn: number): number => (based[turn] === undefined ? 0 : 1 + depth(based[turn] ?? 0));
    expect(Math.max(...based.slice(0, 64).map((_, turn) => depth(turn)))).toBe(6);
    expect(based[64]).toBeUndefined();
  });

  it('bases nothing on a frame that was not added, but on what was', () => {
    const bases = new FrameBases();
    const root = bases.place({ ...SERIES, requestId: 'root' });
    expect(bases.place({ ...SERIES, requestId: 'early' }).base).toBeUndefined();
    bases.add(root, frameOf(root, 100));
    bases.place({ ...SERIES, requestId: 'not added' });
    expect(bases.place({ ...SERIES, requestId: 'late' }).base?.requestId).toBe('root');
  });

  it('bases nothing on a frame of another week, series, or an earlier round of it', () => {
    const bases = new FrameBases();
    const last = bases.place({ ...SERIES, requestId: 'last week' });
    bases.add(last, frameOf(last, 100));
    expect(bases.place({ ...SERIES, name: 'other', requestId: 'a' }).base).toBeUndefined();
    expect(bases.place({ ...SERIES, week: 2, requestId: 'b' }).base).toBeUndefined();
    bases.add(last, frameOf(last, 100));
    expect(bases.place({ ...SERIES, week: 2, requestId: 'c' }).base).toBeUndefined();
  });

  it('keeps text up to its limit, and forgets first what is not in use', () => {
    const bases = new FrameBases(50_000);
    for (let at = 0; at < 20; at++) {
      const place = bases.place({ ...SERIES, name: `series ${at}`, requestId: String(at) });
      bases.add(place, frameOf(place, 16_000));
      expect(bases.bytes).toBeLessThanOrEqual(50_000);
      if (at > 0) bases.place({ ...SERIES, name: 'series 1', requestId: 'again' });
    }
    expect(bases.place({ ...SERIES, name: 'series 19', requestId: 'x' }).base?.requestId).toBe('19');
    expect(bases.place({ ...SERIES, name: 'series 1', requestId: 'x' }).base?.requestId).toBe('1');
    expect(bases.place({ ...SERIES, name: 'series 0', requestId: 'x' }).base).toBeUndefined();
  });

  it('counts what it keeps exactly: after clear, and after a long run within one series', () => {
    const bases = new FrameBases();
    play(bases, 300, 16_000);
    // No more than the path to the last frame, 16 KiB each.
    expect(bases.bytes).toBeLessThanOrEqual(7 * 16 * 1024);
    bases.clear();
    expect(bases.bytes).toBe(0);
  });
});
