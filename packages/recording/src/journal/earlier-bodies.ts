import type { AppendEntry, EntryPlace } from './append-queue.ts';

/** Room for a body that has only begun; most need no more. */
const FIRST_ROOM_BYTES = 256 * 1024;

/** Where the segment holds one stretch of a body. */
interface PlacedSlice {
  /** Of the stretch in the body. */
  bodyOffset: number;
  bytes: number;
  /** Of its record in the segment. */
  recordOffset: number;
  /** From the start of the record to the stretch. */
  skip: number;
}

/** Bytes of a segment that are part of another body, too. */
export type CopiedBytes = Pick<PlacedSlice, 'recordOffset' | 'skip' | 'bytes'>;

/** A request body that stands in full in one segment. */
export class EarlierBody {
  readonly segment: number;
  readonly bytes: Buffer;
  /** Without gaps, in order. */
  readonly #slices: readonly PlacedSlice[];

  constructor(options: { segment: number; bytes: Buffer; slices: readonly PlacedSlice[] }) {
    this.segment = options.segment;
    this.bytes = options.bytes;
    this.#slices = options.slices;
  }

  /** Where the segment has the bytes from `from` to `to`. */
  places(from: number, to: number): CopiedBytes[] {
    const places: CopiedBytes[] = [];
    for (const { bodyOffset, bytes, recordOffset, skip } of this.#slices) {
      const start = Math.max(from, bodyOffset);
      const end = Math.min(to, bodyOffset + bytes);
      if (start >= end) continue;
      places.push({ recordOffset, skip: skip + start - bodyOffset, bytes: end - start });
    }
    return places;
  }
}

/** A body that is being written in full, for later ones to refer to. */
export class BodyDraft {
  readonly #length: number;
  /** The body as far as it has come, at the start of this. */
  #bytes = Buffer.alloc(0);
  #filled = 0;
  readonly #slices: PlacedSlice[] = [];
  /** Slices that are not in a segment yet; `recordOffset` counts from the start of their entry until they are. */
  #pending: { slice: PlacedSlice; entry: AppendEntry | undefined }[] = [];
  #placed = 0;
  #segment: number | undefined;
  #isSpread = false;

  constructor(length: number) {
    this.#length = length;
  }

  /**
   * Takes a copy of a slice that is about to be written.
   *
   * @param slice.recordOffset of its record in the next entry
   */
  add(slice: Omit<PlacedSlice, 'bytes'>, parts: readonly Buffer[]): void {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    this.#makeRoom(this.#filled + bytes);
    for (const part of parts) this.#filled += part.copy(this.#bytes, this.#filled);
    const placed = { ...slice, bytes };
    this.#slices.push(placed);
    this.#pending.push({ slice: placed, entry: undefined });
  }

  /** The slices added so far will be written with this entry, unless with an earlier one. */
  appended(entry: AppendEntry): void {
    for (const pending of this.#pending) pending.entry ??= entry;
  }

  /** An entry was written. @returns the body, once it stands in full in one segment */
  written(entry: AppendEntry, { segment, offset }: EntryPlace): EarlierBody | undefined {
    const written = this.#pending.filter((pending) => pending.entry === entry);
    if (written.length === 0) return undefined;
    this.#pending = this.#pending.filter((pending) => pending.entry !== entry);
    for (const { slice } of written) {
      slice.recordOffset += offset;
      this.#placed += slice.bytes;
    }
    this.#isSpread ||= this.#segment !== undefined && this.#segment !== segment;
    this.#segment = segment;
    if (this.#isSpread || this.#placed !== this.#length) return undefined;
    return new EarlierBody({ segment, bytes: this.#bytes.subarray(0, this.#length), slices: this.#slices });
  }

  /** Up to the announced length, but not all at once: of a long body that never comes little memory is taken. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const wanted = Math.max(bytes, Math.min(this.#length, Math.max(FIRST_ROOM_BYTES, 2 * bytes)));
    const larger = Buffer.allocUnsafeSlow(wanted);
    this.#bytes.copy(larger, 0, 0, this.#filled);
    this.#bytes = larger;
  }
}

/**
 * The last body of each session that stands in full in the current segment. Those of older segments are dropped, and so
 * all of them together are never larger than a segment.
 */
export class EarlierBodies {
  readonly #limitBytes: number;
  /** The one added longest ago first. */
  readonly #bodies = new Map<string, EarlierBody>();
  #segment = 0;
  #bytes = 0;

  /** @param limitBytes of all bodies together */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(session: string, segment: number): EarlierBody | undefined {
    this.#enter(segment);
    return this.#bodies.get(session);
  }

  add(session: string, body: EarlierBody): void {
    if (body.segment < this.#segment) return;
    this.#enter(body.segment);
    this.forget(session);
    this.#bodies.set(session, body);
    this.#bytes += body.bytes.length;
    for (const [oldest] of this.#bodies) {
      if (this.#bytes <= this.#limitBytes) break;
      this.forget(oldest);
    }
  }

  forget(session: string): void {
    this.#bytes -= this.#bodies.get(session)?.bytes.length ?? 0;
    this.#bodies.delete(session);
  }

  #enter(segment: number): void {
    if (segment === this.#segment) return;
    this.#segment = segment;
    this.#bodies.clear();
    this.#bytes = 0;
  }
}
