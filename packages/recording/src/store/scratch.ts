/** Beyond this a buffer is made for the occasion, so that one large body does not hold its memory for good. */
const LARGEST_BYTES = 8 * 1024 * 1024;
const SMALLEST_BYTES = 256 * 1024;

/**
 * A buffer used again and again for what is only looked at once. Fresh ones would cost more than the looking: the
 * kernel has to clear their pages, and each 64 MB of them makes the garbage collector walk the whole heap.
 */
export class Scratch {
  #buffer = Buffer.alloc(0);

  /** `bytes` bytes of any content, valid until the next call. */
  take(bytes: number): Buffer {
    if (bytes > LARGEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(bytes))));
    }
    return this.#buffer.subarray(0, bytes);
  }
}
