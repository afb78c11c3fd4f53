/**
 * Memory shared by the writer (main thread) and the reader (worker): where the journal ends, a doorbell, the exchanges
 * being processed and the reader's counters. It outlives a crash of the worker, which is its point.
 */

const POSITION = 0;
const BIG_CELLS = 1;

/** Offsets are below 4 GiB, so that one atomic cell holds segment and offset and neither is seen without the other. */
const OFFSET_BITS = 32n;
const OFFSET_MASK = 0xffff_ffffn;

const DOORBELL = 0;
const WAITING = 1;
const SIGNS_OF_LIFE = 2;
const PROCESSING_COUNT = 3;
const INT_CELLS = 4;

const COUNTERS = [
  'freedBytes',
  'quarantineBytes',
  'quarantined',
  'corruptBytes',
  'interrupted',
  'highestBegin',
  'unackedEnded',
  'openExchanges',
  'oldestEndedAt',
  'readSegment',
  'readOffset',
  'rememberedBytes',
  // Written by the main thread, for the recorder's row in the database.
  'spoolBytes',
  'lost',
  'late',
  'lagSeconds',
] as const;
export type ControlCounter = (typeof COUNTERS)[number];
const COUNTER_INDEX = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as Record<
  ControlCounter,
  number
>;

const BIG_BYTES = BIG_CELLS * 8;
const INT_BYTES = INT_CELLS * 4;
const COUNTER_BYTES = COUNTERS.length * 8;
const ID_BYTES = 16;
/** So many exchanges can be named as being processed. */
export const MAX_PROCESSING = 1024;
const TOTAL_BYTES = BIG_BYTES + INT_BYTES + COUNTER_BYTES + MAX_PROCESSING * ID_BYTES;

/** A place in the journal: segment number and byte offset in it. */
export interface JournalPosition {
  segment: number;
  offset: number;
}

export class JournalControl {
  readonly memory: SharedArrayBuffer;
  readonly #big: BigInt64Array;
  readonly #ints: Int32Array;
  readonly #counters: Float64Array;
  /** Ids of the exchanges being processed, one after the other. */
  readonly #processing: Buffer;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(TOTAL_BYTES)) {
    this.memory = memory;
    this.#big = new BigInt64Array(memory, 0, BIG_CELLS);
    this.#ints = new Int32Array(memory, BIG_BYTES, INT_CELLS);
    this.#counters = new Float64Array(memory, BIG_BYTES + INT_BYTES, COUNTERS.length);
    const before = BIG_BYTES + INT_BYTES + COUNTER_BYTES;
    this.#processing = Buffer.from(memory, before, MAX_PROCESSING * ID_BYTES);
  }

  /** Writer: bytes up to here are in the file. Rings the doorbell when somebody waits. */
  publish(position: JournalPosition): void {
    const cell = (BigInt(position.segment) << OFFSET_BITS) | BigInt(position.offset);
    Atomics.store(this.#big, POSITION, cell);
    this.ring();
  }

  ring(): void {
    Atomics.add(this.#ints, DOORBELL, 1);
    // Waking costs far more than looking whether anybody sleeps.
    if (Atomics.load(this.#ints, WAITING) !== 0) Atomics.notify(this.#ints, DOORBELL);
  }

  position(): JournalPosition {
    const cell = Atomics.load(this.#big, POSITION);
    return { segment: Number(cell >> OFFSET_BITS), offset: Number(cell & OFFSET_MASK) };
  }

  doorbell(): number {
    return Atomics.load(this.#ints, DOORBELL);
  }

  /** Resolves at the next ring, at once when it rang since `seen` was read, or after `timeoutMs`. */
  async wait(seen: number, timeoutMs: number): Promise<void> {
    Atomics.store(this.#ints, WAITING, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    // The timer also keeps the worker's event loop alive: a pending waitAsync does not.
    const timer = setTimeout(() => {
      Atomics.notify(this.#ints, DOORBELL);
      resolve();
    }, timeoutMs);
    try {
      const wait = Atomics.waitAsync(this.#ints, DOORBELL, seen);
      if (wait.async) await Promise.race([wait.value, promise]);
    } finally {
      clearTimeout(timer);
      Atomics.store(this.#ints, WAITING, 0);
    }
  }

  /** Wakes the own waiter (another thread is not needed for that). */
  wake(): void {
    Atomics.notify(this.#ints, DOORBELL);
  }

  /** @param ids of 16 bytes; no more than `MAX_PROCESSING` are kept */
  setProcessing(ids: readonly Buffer[]): void {
    Atomics.store(this.#ints, PROCESSING_COUNT, 0);
    const count = Math.min(ids.length, MAX_PROCESSING);
    for (let index = 0; index < count; index++) ids[index]?.copy(this.#processing, index * ID_BYTES);
    Atomics.store(this.#ints, PROCESSING_COUNT, count);
    this.showLife();
  }

  /** The ids of 16 bytes of the exchanges being processed. To be read when the other thread stands still. */
  processing(): Buffer[] {
    return Array.from({ length: this.processingCount() }, (_, index) =>
      Buffer.from(this.#processing.subarray(index * ID_BYTES, (index + 1) * ID_BYTES)),
    );
  }

  processingCount(): number {
    return Atomics.load(this.#ints, PROCESSING_COUNT);
  }

  /** The reader's thread gets to run. */
  showLife(): void {
    Atomics.add(this.#ints, SIGNS_OF_LIFE, 1);
  }

  /** How often `showLife` and `setProcessing` were called: stands still while the thread does not come round. */
  signsOfLife(): number {
    return Atomics.load(this.#ints, SIGNS_OF_LIFE);
  }

  counter(name: ControlCounter): number {
    return this.#counters[COUNTER_INDEX[name]] ?? 0;
  }

  /** Each counter has one writing thread, so a plain store is enough. */
  setCounter(name: ControlCounter, value: number): void {
    this.#counters[COUNTER_INDEX[name]] = value;
  }

  addToCounter(name: ControlCounter, by: number): void {
    this.setCounter(name, this.counter(name) + by);
  }
}
