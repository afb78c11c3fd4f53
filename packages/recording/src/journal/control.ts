/**
 * Memory shared by the writer (main thread) and the reader (worker): where the journal ends, a doorbell, the exchange
 * being processed and the reader's counters. It outlives a crash of the worker, which is its point.
 */

const POSITION = 0;
const PROCESSING_HIGH = 1;
const PROCESSING_LOW = 2;
const BIG_CELLS = 4;

/** Offsets are below 4 GiB, so that one atomic cell holds segment and offset and neither is seen without the other. */
const OFFSET_BITS = 32n;
const OFFSET_MASK = 0xffff_ffffn;

const DOORBELL = 0;
const WAITING = 1;
const PROCESSING_CHANGES = 2;
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
const TOTAL_BYTES = BIG_BYTES + INT_BYTES + COUNTERS.length * 8;

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

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(TOTAL_BYTES)) {
    this.memory = memory;
    this.#big = new BigInt64Array(memory, 0, BIG_CELLS);
    this.#ints = new Int32Array(memory, BIG_BYTES, INT_CELLS);
    this.#counters = new Float64Array(memory, BIG_BYTES + INT_BYTES, COUNTERS.length);
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

  setProcessing(id: Buffer | undefined): void {
    Atomics.add(this.#ints, PROCESSING_CHANGES, 1);
    Atomics.store(this.#big, PROCESSING_HIGH, id === undefined ? 0n : id.readBigInt64BE(0));
    Atomics.store(this.#big, PROCESSING_LOW, id === undefined ? 0n : id.readBigInt64BE(8));
  }

  /** The 16 bytes of the id of the exchange being processed. */
  processing(): Buffer | undefined {
    const high = Atomics.load(this.#big, PROCESSING_HIGH);
    if (high === 0n) return undefined;
    const id = Buffer.alloc(16);
    id.writeBigInt64BE(high, 0);
    id.writeBigInt64BE(Atomics.load(this.#big, PROCESSING_LOW), 8);
    return id;
  }

  /** How often `setProcessing` was called: stands still while one exchange is being processed. */
  processingChanges(): number {
    return Atomics.load(this.#ints, PROCESSING_CHANGES);
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
