import { CHECKPOINT_BYTES } from './body-hash.ts';
import type { HashCheckpoint } from './body-hash.ts';
import type { SectionFacts } from './body-facts.ts';
import type { MessageTable } from './message-table.ts';
import { PieceList } from './piece-list.ts';
import type { Recipe } from './recipe.ts';
import type { RoomPool } from './room-pool.ts';

/** A head or tail, cut. */
export interface SectionCut {
  length: number;
  recipe: Recipe;
  /** Address of the encoded recipe, which is a piece itself. */
  recipeHash: Buffer;
  facts: SectionFacts;
}

/** A body as it was cut last. Message i occupies `bounds[i]` to `bounds[i + 1]`, the tail begins at the last bound. */
export interface RememberedBody {
  week: number;
  body: Buffer;
  /** The round of the room pool in which pieces are views of it: until that is over nothing may be written there. */
  viewedIn: number | undefined;
  sha256: Buffer;
  checkpoints: readonly HashCheckpoint[];
  head: SectionCut;
  messages: MessageTable;
  bounds: readonly number[];
  tail: SectionCut;
  /** The first and the last message holding a user's text, by index; -1 if there is none. */
  firstText: { index: number; text: string | undefined };
  lastText: { index: number; text: string | undefined };
}

/** Bodies kept per session: title and classifier requests alternate with the conversation under one key. */
const BODIES_PER_SESSION = 2;

/** A head or tail this long tells what program part wrote the body. */
const TELLING_BYTES = 1024;

/** Objects and table entries of one body, and of one session besides. */
const BODY_OVERHEAD_BYTES = 4096;
const SESSION_OVERHEAD_BYTES = 512;
const BOUND_BYTES = 8;

interface Session {
  bodies: readonly RememberedBody[];
  bytes: number;
}

/** The last bodies of each session, least recently used out first once `limitBytes` is reached. */
export class SessionMemory {
  readonly #limitBytes: number;
  readonly #sessions = new Map<string, Session>();
  #bytes = 0;

  readonly #rooms: RoomPool;

  /** @param rooms get the memory of forgotten bodies, where it is theirs */
  constructor(limitBytes: number, rooms: RoomPool) {
    this.#limitBytes = limitBytes;
    this.#rooms = rooms;
  }

  /** Bytes retained, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  has(sessionKey: string): boolean {
    return this.#sessions.has(sessionKey);
  }

  /** A body of the session and week that `body` appears to continue. */
  find(sessionKey: string, week: number, body: Buffer): RememberedBody | undefined {
    return this.#sessions
      .get(sessionKey)
      ?.bodies.find((known) => known.week === week && continues(body, known));
  }

  /** Keeps `body` as the session's latest, in the place of the one it continues. */
  remember(sessionKey: string, body: RememberedBody, continued: RememberedBody | undefined): void {
    const known = this.#sessions.get(sessionKey)?.bodies ?? [];
    const others = known.filter((other) => other !== continued);
    const bodies = [body, ...others].slice(0, BODIES_PER_SESSION);
    const bytes = bodies.reduce((sum, kept) => sum + retainedBytes(kept), SESSION_OVERHEAD_BYTES);
    this.#remove(sessionKey);
    if (bytes > this.#limitBytes) return this.#giveBack([body, ...known], []);
    this.#giveBack(known, bodies);
    this.#sessions.set(sessionKey, { bodies, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#sessions.keys()) {
      if (this.#bytes <= this.#limitBytes) break;
      this.forget(oldest);
    }
  }

  forget(sessionKey?: string): void {
    for (const key of sessionKey === undefined ? [...this.#sessions.keys()] : [sessionKey]) {
      this.#giveBack(this.#remove(key), []);
    }
  }

  #remove(sessionKey: string): readonly RememberedBody[] {
    const session = this.#sessions.get(sessionKey);
    if (session === undefined) return [];
    this.#sessions.delete(sessionKey);
    this.#bytes -= session.bytes;
    return session.bodies;
  }

  /** One that continues another may be in the same memory. */
  #giveBack(gone: readonly RememberedBody[], kept: readonly RememberedBody[]): void {
    for (const { body } of gone) {
      if (!kept.some((other) => other.body.buffer === body.buffer)) this.#rooms.giveBack(body);
    }
  }
}

function continues(body: Buffer, known: RememberedBody): boolean {
  const { bounds, head, tail } = known;
  const opening = bounds[1] ?? 0;
  if (opening > 0 && startsAlike(body, known.body, opening)) return true;
  if (head.length >= TELLING_BYTES && startsAlike(body, known.body, head.length)) return true;
  return tail.length >= TELLING_BYTES && endsAlike(body, known.body, tail.length);
}

function startsAlike(a: Buffer, b: Buffer, length: number): boolean {
  return a.length >= length && a.subarray(0, length).equals(b.subarray(0, length));
}

function endsAlike(a: Buffer, b: Buffer, length: number): boolean {
  return a.length >= length && a.subarray(-length).equals(b.subarray(-length));
}

function retainedBytes({ body, ...cut }: RememberedBody): number {
  const { head, messages, bounds, tail, checkpoints } = cut;
  return (
    BODY_OVERHEAD_BYTES +
    body.buffer.byteLength +
    checkpoints.length * CHECKPOINT_BYTES +
    messages.bytes +
    bounds.length * BOUND_BYTES +
    sectionBytes(head) +
    sectionBytes(tail)
  );
}

function sectionBytes({ recipeHash, recipe }: SectionCut): number {
  return recipeHash.length + recipe.bytes.length + recipe.pieces.records.length;
}

/**
 * The section with its hash and recipe in one block of memory of their own. They come from Node's pool, where each of
 * them would keep 64 KiB alive for as long as its session is remembered.
 */
export function ownSection(section: SectionCut): SectionCut {
  const { recipeHash, recipe } = section;
  const parts = [recipeHash, recipe.bytes, recipe.pieces.records];
  const block = Buffer.allocUnsafeSlow(sectionBytes(section));
  let end = 0;
  const [ownHash, bytes, records] = parts.map((part) => {
    const start = end;
    block.set(part, start);
    end += part.length;
    return block.subarray(start, end);
  }) as [Buffer, Buffer, Buffer];
  return { ...section, recipeHash: ownHash, recipe: { bytes, pieces: new PieceList(records) } };
}
