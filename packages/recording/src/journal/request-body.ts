import { commonEnd, commonStart } from './common-bytes.ts';
import type { CopiedBytes, EarlierBody } from './earlier-bodies.ts';

/** Request bodies arrive fast; larger slices mean fewer writes. */
export const REQUEST_SLICE_BYTES = 256 * 1024;
/** A chunk of this size is copied when it comes: kept as it is, it would outlive the collections that cost little. */
const COPY_AT_ONCE_BYTES = 16 * 1024;
/** Below this a copy saves nothing worth its record. */
const LEAST_COPY_BYTES = 4096;
/** So much of a body may wait for its end, where it may turn out to be in the earlier body. */
const MAX_HELD_BYTES = 512 * 1024;
/** When a larger share of a body is new, the next one of the session is written in full. */
const MAX_NEW_SHARE = 1 / 4;

/** Makes records of a body's slices, in order. */
export interface SliceSink {
  slice(parts: readonly Buffer[], isLast: boolean): void;
  /** A slice the journal has already. */
  copy(bytes: CopiedBytes): void;
  /** Whether records made now may still refer to those of an earlier body. */
  mayReferTo(earlier: EarlierBody): boolean;
  /** Too little of the earlier body is left for the next one to be compared with it. */
  outgrown(): void;
}

/** Cuts a request body into slices as it arrives. */
export interface RequestBody {
  /** Bytes were added that are in no slice yet. */
  readonly isWaiting: boolean;
  add(part: Buffer): void;
  /** Makes slices of what was added. */
  flush(): void;
  /** The same, and nothing more will come. */
  end(): void;
}

/** A body that is written in full. */
export class FullBody implements RequestBody {
  readonly #sink: SliceSink;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(sink: SliceSink) {
    this.#sink = sink;
  }

  get isWaiting(): boolean {
    return this.#bytes > 0;
  }

  add(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (part.length >= COPY_AT_ONCE_BYTES || this.#bytes >= REQUEST_SLICE_BYTES) this.#slice(false);
  }

  flush(): void {
    if (this.#bytes > 0) this.#slice(false);
  }

  end(): void {
    this.#slice(true);
  }

  #slice(isLast: boolean): void {
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    this.#sink.slice(parts, isLast);
  }
}

/**
 * A body of which only what is new is written. It begins and ends as the earlier one of its session: the history before
 * the last message, and the system prompt and tools, which stand behind the messages.
 */
export class ComparedBody implements RequestBody {
  readonly #sink: SliceSink;
  readonly #earlier: EarlierBody;
  /** So much of the start is that of the earlier body. */
  #same = 0;
  /** Of that, so much is in slices. */
  #copied = 0;
  #differs = false;
  /** What came after the first difference and is in no slice yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #length = 0;
  #newBytes = 0;
  /** Takes over when the body turns out to be another. */
  #instead: RequestBody | undefined;
  readonly #otherwise: () => RequestBody;

  constructor(sink: SliceSink, earlier: EarlierBody, otherwise: () => RequestBody) {
    this.#sink = sink;
    this.#earlier = earlier;
    this.#otherwise = otherwise;
  }

  get isWaiting(): boolean {
    return this.#instead?.isWaiting ?? (this.#heldBytes > 0 || this.#copied < this.#same);
  }

  add(part: Buffer): void {
    if (this.#instead !== undefined) return this.#instead.add(part);
    this.#length += part.length;
    if (this.#differs) return this.#hold(part);
    const { bytes } = this.#earlier;
    const same = commonStart(part, bytes, this.#same);
    this.#same += same;
    if (same === part.length) return;
    if (this.#same < LEAST_COPY_BYTES && this.#copied === 0) {
      this.#instead = this.#otherwise();
      if (this.#same > 0) this.#instead.add(bytes.subarray(0, this.#same));
      return this.#instead.add(part.subarray(same));
    }
    this.#differs = true;
    return this.#hold(part.subarray(same));
  }

  flush(): void {
    if (this.#instead !== undefined) return this.#instead.flush();
    this.#copySame();
    return this.#writeHeld(this.#heldBytes);
  }

  end(): void {
    if (this.#instead !== undefined) return this.#instead.end();
    this.#copySame();
    const end = this.#commonEnd();
    this.#writeHeld(this.#heldBytes - end);
    if (end > 0) this.#copy(this.#earlier.bytes.length - end, this.#earlier.bytes.length);
    this.#sink.slice([], true);
    if (this.#newBytes > this.#length * MAX_NEW_SHARE) this.#sink.outgrown();
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes >= MAX_HELD_BYTES) this.flush();
  }

  #copySame(): void {
    if (this.#copied < this.#same) this.#copy(this.#copied, this.#same);
    this.#copied = this.#same;
  }

  #copy(from: number, to: number): void {
    if (this.#sink.mayReferTo(this.#earlier)) {
      for (const place of this.#earlier.places(from, to)) this.#sink.copy(place);
      return;
    }
    for (let at = from; at < to; at += REQUEST_SLICE_BYTES) {
      this.#sink.slice([this.#earlier.bytes.subarray(at, Math.min(to, at + REQUEST_SLICE_BYTES))], false);
    }
  }

  /** How much of what is held is the end of the earlier body. */
  #commonEnd(): number {
    let { length } = this.#earlier.bytes;
    let same = 0;
    for (const part of this.#held.toReversed()) {
      const common = commonEnd(part, this.#earlier.bytes, length);
      same += common;
      length -= common;
      if (common < part.length) break;
    }
    return same < LEAST_COPY_BYTES ? 0 : same;
  }

  /** Writes the first `bytes` of what is held and drops the rest. */
  #writeHeld(bytes: number): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#newBytes += bytes;
    let parts: Buffer[] = [];
    let partBytes = 0;
    let left = bytes;
    for (const part of held) {
      const taken = part.subarray(0, left);
      left -= taken.length;
      if (taken.length === 0) break;
      parts.push(taken);
      partBytes += taken.length;
      if (partBytes < REQUEST_SLICE_BYTES) continue;
      this.#sink.slice(parts, false);
      parts = [];
      partBytes = 0;
    }
    if (partBytes > 0) this.#sink.slice(parts, false);
  }
}
