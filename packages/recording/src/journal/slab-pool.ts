/** Memory that several parts share; free again when the last of them is. */
export interface Slab {
  readonly buffer: Buffer;
  used: number;
  /** Parts not released. */
  live: number;
}

/** A stretch of a slab, of any content; without a slab, a buffer of its own. */
export interface SlabPart {
  bytes: Buffer;
  slab: Slab | undefined;
}

const SLAB_BYTES = 512 * 1024;
const MAX_FREE_SLABS = 32;

/**
 * Buffers for what is about to be written, used again once it is. Fresh ones would cost more than the copying: the
 * kernel has to clear their pages, and each 64 MB of them makes the garbage collector walk the whole heap.
 *
 * A part that is never released costs its slab, nothing else.
 */
export class SlabPool {
  readonly #free: Slab[] = [];
  #current: Slab | undefined;

  take(bytes: number): SlabPart {
    if (bytes > SLAB_BYTES / 2) return { bytes: Buffer.allocUnsafeSlow(bytes), slab: undefined };
    let slab = this.#current;
    if (slab === undefined || slab.used + bytes > SLAB_BYTES) {
      // Its parts are all in use, or it would be empty.
      slab = this.#free.pop() ?? { buffer: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, live: 0 };
      this.#current = slab;
    }
    const start = slab.used;
    slab.used += bytes;
    slab.live++;
    return { bytes: slab.buffer.subarray(start, slab.used), slab };
  }

  /** To be called once for each part: its memory may be written to from now on. */
  release(slab: Slab): void {
    slab.live--;
    if (slab.live > 0) return;
    slab.used = 0;
    if (slab !== this.#current && this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
  }
}
