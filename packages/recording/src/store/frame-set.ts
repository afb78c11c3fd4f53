import { StoreError } from './errors.ts';
import { baseText } from './frame-base.ts';
import { decodeFrame } from './frame.ts';
import type { Frame } from './frame.ts';

/** A frame as it is stored. */
export interface StoredFrame {
  readonly requestId: string;
  readonly part: number;
  readonly data: Buffer;
  /** Request of the frame of the same part that it is based on. */
  readonly base?: string | undefined;
}

/** A writer bases frames at most six deep; what goes on for longer is a circle. */
const MAX_DEPTH = 64;

/** Frames together with those they are based on. */
export class FrameSet {
  readonly #stored = new Map<string, StoredFrame>();
  readonly #texts = new Map<string, Buffer>();

  constructor(frames: Iterable<StoredFrame>) {
    for (const frame of frames) this.#stored.set(keyOf(frame.requestId, frame.part), frame);
  }

  /**
   * Unpacks a frame; undefined if it is not among them.
   *
   * @throws StoreError NEXUS_FRAME_TOO_LARGE, NEXUS_FRAME_INVALID, also when one it is based on is not among them
   */
  decode(requestId: string, part: number): Frame | undefined {
    const stored = this.#stored.get(keyOf(requestId, part));
    return stored && this.#decode(stored, 0);
  }

  #decode({ data, base, part }: StoredFrame, depth: number): Frame {
    return decodeFrame(data, { base: base === undefined ? undefined : this.#textOf(base, part, depth) });
  }

  #textOf(requestId: string, part: number, depth: number): Buffer | undefined {
    const key = keyOf(requestId, part);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const stored = this.#stored.get(key);
    if (stored === undefined) return undefined;
    if (depth === MAX_DEPTH) {
      throw new StoreError('NEXUS_FRAME_INVALID', 'The frame cannot be read: it is based on itself');
    }
    const { bytes } = this.#decode(stored, depth + 1);
    const before = stored.base === undefined ? undefined : this.#texts.get(keyOf(stored.base, part));
    const text = baseText(bytes, before);
    this.#texts.set(key, text);
    return text;
  }
}

function keyOf(requestId: string, part: number): string {
  return `${requestId}/${part}`;
}
