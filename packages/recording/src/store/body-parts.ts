import { mergeFacts, readSectionFacts, readUserTexts } from './body-facts.ts';
import type { BodyFacts, SectionFacts, UserTexts } from './body-facts.ts';
import { BodyScanner } from './body-scanner.ts';
import type { BodyMember, ScannedMessage, ScannedSection } from './body-scanner.ts';
import { contentHash } from './content-hash.ts';
import type { MessageCut } from './message-table.ts';
import type { MessageDigests } from './message-tree.ts';
import { buildRecipe } from './recipe.ts';
import type { CutEarlier } from './recipe.ts';
import type { RememberedBody, SectionCut } from './session-memory.ts';

/** A body divided into head, messages and tail, and how much of that was known from an earlier one. */
export interface BodyParts {
  form: 'tree';
  head: SectionCut;
  /** The messages after the known ones. */
  messages: MessageCut[];
  /** Message i occupies `bounds[i]` to `bounds[i + 1]`; the tail begins at the last bound. */
  bounds: number[];
  tail: SectionCut;
  /** Texts of the messages that were parsed, by index. */
  userTexts: Map<number, UserTexts>;
  knownHead: boolean;
  /** How many leading messages are byte for byte those of the earlier body. */
  knownMessages: number;
  knownTail: boolean;
}

/** A body that cannot be divided, with what its top level said as far as it was read. */
export interface UndividedBody {
  form: 'whole';
  facts: BodyFacts;
}

/** More messages than this are not a conversation, and would be as many rows. */
export const MESSAGE_LIMIT = 20_000;

/**
 * Bytes of all messages outside long strings. They are what parsing and digesting costs, and a body made of nothing
 * else would hold up everything behind it.
 */
export const GLUE_LIMIT_BYTES = 4 * 1024 * 1024;

/** Messages compared with one call while they are equal. */
const COMPARE_AT_ONCE = 32;

const NO_MESSAGES = { messageCount: 0, firstText: undefined, lastUserText: undefined };

/** Divides one body; what equals the same part of `earlier` is neither scanned, parsed nor hashed. */
export class BodyDivider {
  readonly #body: Buffer;
  readonly #earlier: RememberedBody | undefined;
  readonly #digests: MessageDigests;
  readonly #scanner: BodyScanner;
  readonly #messages: MessageCut[] = [];
  #bounds: number[] = [];
  readonly #userTexts = new Map<number, UserTexts>();
  #knownMessages = 0;
  #glueBytes = 0;

  constructor(options: { body: Buffer; earlier: RememberedBody | undefined; digests: MessageDigests }) {
    this.#body = options.body;
    this.#earlier = options.earlier;
    this.#digests = options.digests;
    this.#scanner = new BodyScanner(options.body);
  }

  divide(): BodyParts | UndividedBody {
    const earlier = this.#earlier;
    const knownHead = earlier !== undefined && this.#holds(0, earlier, 0, earlier.head.length);
    const head = knownHead ? earlier.head : this.#scanHead();
    if (head === undefined) return this.#undivided([]);
    const end = this.#takeMessages(head.length);
    if (end < 0) return this.#undivided([head.facts]);
    const knownTail = earlier !== undefined && this.#hasTailOf(earlier, end);
    const tail = knownTail ? earlier.tail : this.#scanTail(end);
    if (tail === undefined) return this.#undivided([head.facts]);
    return {
      form: 'tree',
      head,
      messages: this.#messages,
      bounds: this.#bounds,
      tail,
      userTexts: this.#userTexts,
      knownHead,
      knownMessages: this.#knownMessages,
      knownTail,
    };
  }

  /** Fills messages and bounds; answers where the tail begins, or -1. */
  #takeMessages(start: number): number {
    let at = this.#takeKnownMessages(start);
    for (let index = this.#knownMessages; ; index++) {
      const known = this.#sameMessage(index, at);
      if (known !== undefined) {
        at += this.#earlierLength(index);
        this.#take(known);
      } else {
        const scanned = this.#scanner.message(at, index === 0);
        if (scanned === 'none') return this.#isTooMuch(0) ? -1 : at;
        const cut = scanned === undefined ? undefined : this.#cutMessage(index, scanned);
        if (scanned === undefined || cut === undefined) return -1;
        at = scanned.end;
        this.#take(cut);
      }
      this.#bounds.push(at);
    }
  }

  #take(message: MessageCut): void {
    this.#messages.push(message);
    this.#glueBytes += message.glueBytes;
  }

  #isTooMuch(moreGlueBytes: number): boolean {
    const count = this.#knownMessages + this.#messages.length;
    return count > MESSAGE_LIMIT || this.#glueBytes + moreGlueBytes > GLUE_LIMIT_BYTES;
  }

  /** Leading messages equal to the earlier ones, many at a time; answers where the first other one begins. */
  #takeKnownMessages(start: number): number {
    const earlier = this.#earlier;
    if (earlier === undefined) {
      this.#bounds = [start];
      return start;
    }
    const { bounds, messages } = earlier;
    const shift = start - (bounds[0] as number);
    let known = 0;
    for (let step = COMPARE_AT_ONCE; step >= 1;) {
      const next = Math.min(known + step, messages.count);
      const from = bounds[known] as number;
      if (next > known && this.#holds(from + shift, earlier, from, bounds[next] as number)) known = next;
      else step = step > 1 ? step >> 1 : 0;
    }
    const shared = bounds.slice(0, known + 1);
    this.#bounds = shift === 0 ? shared : shared.map((bound) => bound + shift);
    this.#knownMessages = known;
    this.#glueBytes = messages.glueBytes(known);
    return (bounds[known] as number) + shift;
  }

  /** The earlier message of the same index if the bytes at `at` are the same; an object ends where its bytes say. */
  #sameMessage(index: number, at: number): MessageCut | undefined {
    const earlier = this.#earlier;
    const start = earlier?.bounds[index];
    const end = earlier?.bounds[index + 1];
    if (earlier === undefined || start === undefined || end === undefined) return undefined;
    return this.#holds(at, earlier, start, end) ? earlier.messages.message(index) : undefined;
  }

  #earlierLength(index: number): number {
    const bounds = this.#earlier?.bounds ?? [];
    return (bounds[index + 1] as number) - (bounds[index] as number);
  }

  #hasTailOf(earlier: RememberedBody, start: number): boolean {
    const { body, bounds } = earlier;
    return (
      this.#body.length - start === earlier.tail.length &&
      this.#holds(start, earlier, bounds.at(-1) ?? 0, body.length)
    );
  }

  /** Whether the body has at `at` what the earlier one has from `start` to `end`. */
  #holds(at: number, earlier: RememberedBody, start: number, end: number): boolean {
    const until = at + end - start;
    return (
      until <= this.#body.length && this.#body.subarray(at, until).equals(earlier.body.subarray(start, end))
    );
  }

  #scanHead(): SectionCut | undefined {
    const scanned = this.#scanner.head();
    const earlier = this.#earlier;
    return (
      scanned &&
      this.#cutSection(scanned, earlier && { text: earlier.body, pieces: earlier.head.recipe.pieces })
    );
  }

  #scanTail(start: number): SectionCut | undefined {
    const scanned = this.#scanner.tail(start);
    const earlier = this.#earlier;
    const text = earlier?.body.subarray(earlier.bounds.at(-1));
    return (
      scanned && this.#cutSection(scanned, earlier && text && { text, pieces: earlier.tail.recipe.pieces })
    );
  }

  #cutSection({ start, end, cuts, members }: ScannedSection, earlier: CutEarlier | undefined): SectionCut {
    const recipe = buildRecipe(this.#body.subarray(start, end), cuts, earlier);
    const facts = this.#sectionFacts(members);
    return { length: end - start, recipe, recipeHash: contentHash(recipe.bytes), facts };
  }

  /** Undefined when the message is not JSON after all, or one too many. */
  #cutMessage(index: number, scanned: ScannedMessage): MessageCut | undefined {
    if (this.#isTooMuch(scanned.glueBytes)) return undefined;
    const text = this.#body.subarray(scanned.start, scanned.end);
    const message = parseMessage(text, scanned.valueStart);
    if (message === undefined) return undefined;
    const texts = readUserTexts(message);
    if (texts !== undefined) this.#userTexts.set(index, texts);
    const recipe = buildRecipe(text, scanned.cuts, this.#earlierMessage(index));
    const { strict, loose } = this.#digests.canonicalDigests(message);
    const { valueStart, glueBytes } = scanned;
    return { valueStart, recipe, strict, loose, hasUserText: texts !== undefined, glueBytes };
  }

  #earlierMessage(index: number): CutEarlier | undefined {
    const earlier = this.#earlier;
    if (earlier === undefined || index >= earlier.messages.count) return undefined;
    const text = earlier.body.subarray(earlier.bounds[index], earlier.bounds[index + 1]);
    return { text, pieces: earlier.messages.pieces(index) };
  }

  #sectionFacts(members: readonly BodyMember[]): SectionFacts {
    return readSectionFacts(this.#body, members);
  }

  #undivided(sections: readonly SectionFacts[]): UndividedBody {
    const stray = this.#sectionFacts(this.#scanner.strayMembers);
    return { form: 'whole', facts: mergeFacts([...sections, stray], NO_MESSAGES) };
  }
}

/** The message in `text`, separator before it; undefined if it is not JSON. */
export function parseMessage(text: Buffer, valueStart: number): unknown {
  try {
    return JSON.parse(text.toString('utf8', valueStart)) as unknown;
  } catch {
    return undefined;
  }
}
