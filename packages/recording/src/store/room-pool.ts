/** Smaller rooms cost little to make anew. */
const SMALLEST_BYTES = 1024;
/** Sizes are rounded up to a multiple of an eighth of the power of two below, so that rooms fit other bodies. */
const STEPS = 8;
/** A room may be this many steps larger than what is asked for. */
const LARGER_STEPS = 2;

/**
 * Memory for bodies, used again when they are forgotten. As garbage it would pile up to several times what is in use:
 * the collector of a busy thread comes late, and the memory it frees is in pieces.
 *
 * What is given back may still be looked at, by those who cut the body up, until `recycle`.
 */
export class RoomPool {
  readonly #limitBytes: number;
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #givenBack: ArrayBufferLike[] = [];
  #round = 0;
  /** By size. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #freeBytes = 0;

  /** @param limitBytes most to keep for later */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes kept for later. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Counts the calls of `recycle`. */
  get round(): number {
    return this.#round;
  }

  /** `bytes` bytes of any content, at the start of memory that nothing else uses. */
  take(bytes: number): Buffer {
    if (bytes < SMALLEST_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const step = 2 ** (Math.floor(Math.log2(bytes)) - Math.log2(STEPS));
    const size = Math.ceil(bytes / step) * step;
    const room = this.#takeFree(size, step) ?? Buffer.allocUnsafeSlow(size).buffer;
    this.#lent.add(room);
    return Buffer.from(room, 0, bytes);
  }

  /** All the memory that `body` is at the start of, if it is of this pool. */
  roomOf({ buffer }: Buffer): Buffer | undefined {
    return this.#lent.has(buffer) ? Buffer.from(buffer) : undefined;
  }

  /** Takes the memory back that `body` is in, if it is of this pool. */
  giveBack({ buffer }: Buffer): void {
    if (this.#lent.delete(buffer)) this.#givenBack.push(buffer);
  }

  /** Nobody looks any more at what was given back so far. */
  recycle(): void {
    this.#round++;
    const rooms = this.#givenBack;
    if (rooms.length === 0) return;
    this.#givenBack = [];
    for (const room of rooms) {
      if (this.#freeBytes + room.byteLength > this.#limitBytes) continue;
      const equals = this.#free.get(room.byteLength);
      if (equals === undefined) this.#free.set(room.byteLength, [room]);
      else equals.push(room);
      this.#freeBytes += room.byteLength;
    }
  }

  #takeFree(size: number, step: number): ArrayBufferLike | undefined {
    for (let larger = size; larger <= size + LARGER_STEPS * step; larger += step) {
      const room = this.#free.get(larger)?.pop();
      if (room === undefined) continue;
      this.#freeBytes -= room.byteLength;
      return room;
    }
    return undefined;
  }
}
