import type { EncodedFrame } from '../store/index.ts';
import { baseText } from '../store/index.ts';

/** A frame that later ones of its series can be based on. */
interface BaseFrame {
  readonly turn: number;
  readonly requestId: string;
  readonly text: Buffer;
}

/** What one session and agent sends, or is answered, within a week. */
interface Series {
  readonly week: number;
  turn: number;
  /** Whether it had a frame since it was last to be forgotten: then it stays for another round. */
  isInUse: boolean;
  /** Frames the next ones can be based on, each an ancestor of the one after it. */
  bases: BaseFrame[];
}

/** The place a frame will take in its series. */
export interface FramePlace {
  readonly name: string;
  readonly series: Readonly<Series>;
  readonly turn: number;
  readonly requestId: string;
  readonly base: { readonly requestId: string; readonly text: Buffer } | undefined;
}

/** A power of two; a frame is then based on at most its binary logarithm of others. */
const SERIES_TURNS = 64;

/**
 * What frames are compressed against: earlier frames of the same session, agent and part. Forgetting costs space,
 * never data.
 *
 * The frame of turn t is based on that of t without its lowest bit, so one is read with six others at most, and most
 * find a recent one. Only a frame that is stored as it was sent may be known here: of one that had been stored before,
 * by a try whose answer got lost, nothing is known but that it may differ.
 */
export class FrameBases {
  readonly #limitBytes: number;
  readonly #series = new Map<string, Series>();
  /** Where to look next for a series to forget. A new iterator would first step over all that were deleted lately. */
  #hand = this.#series.entries();
  #bytes = 0;

  /** @param limitBytes text kept for all series together */
  constructor(limitBytes = 24 * 1024 * 1024) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of text kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next place in a series. */
  place({ name, week, requestId }: { name: string; week: number; requestId: string }): FramePlace {
    let series = this.#series.get(name);
    if (series?.week !== week || series.turn === SERIES_TURNS) {
      this.#drop(name);
      series = { week, turn: 0, isInUse: true, bases: [] };
      this.#series.set(name, series);
    }
    series.isInUse = true;
    const turn = series.turn++;
    const base = series.bases.findLast((known) => isAncestor(known.turn, turn));
    return { name, series, turn, requestId, base };
  }

  /**
   * The frame in this place is stored, or will be with the batch at hand, as it was encoded. Call `clear` if it turns
   * out not to be.
   */
  add({ name, series: placed, turn, requestId, base }: FramePlace, frame: EncodedFrame): void {
    const series = this.#series.get(name);
    // Nothing is ever based on an odd turn.
    if (series === undefined || series !== placed || turn % 2 === 1) return;
    const latest = series.bases.at(-1);
    if (latest !== undefined && latest.turn >= turn) return;
    const kept = series.bases.filter((known) => isAncestor(known.turn, turn));
    const text = baseText(frame.plain, frame.isBased ? base?.text : undefined);
    this.#bytes += text.length;
    for (const known of series.bases) if (!kept.includes(known)) this.#bytes -= known.text.length;
    series.bases = [...kept, { turn, requestId, text }];
    if (this.#bytes > this.#limitBytes) this.#makeRoom();
  }

  clear(): void {
    this.#series.clear();
    this.#bytes = 0;
  }

  #makeRoom(): void {
    while (this.#bytes > this.#limitBytes) {
      const { done, value } = this.#hand.next();
      if (done === true) {
        this.#hand = this.#series.entries();
        continue;
      }
      const [name, series] = value;
      if (!series.isInUse) this.#drop(name);
      series.isInUse = false;
    }
  }

  #drop(name: string): void {
    for (const { text } of this.#series.get(name)?.bases ?? []) this.#bytes -= text.length;
    this.#series.delete(name);
  }
}

/** Whether clearing some of the lowest bits set in `turn` gives `earlier`. */
function isAncestor(earlier: number, turn: number): boolean {
  const lowestBit = earlier === 0 ? Infinity : earlier & -earlier;
  return turn > earlier && turn - earlier < lowestBit;
}
