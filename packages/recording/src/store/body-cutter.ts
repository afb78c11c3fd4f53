import { mergeFacts, readUserTexts } from './body-facts.ts';
import type { BodyFacts } from './body-facts.ts';
import { hashBody } from './body-hash.ts';
import { BodyDivider, parseMessage } from './body-parts.ts';
import type { BodyParts, UndividedBody } from './body-parts.ts';
import { contentHash, CONTENT_HASH_BYTES, hashKey, sha256 } from './content-hash.ts';
import { MessageTable } from './message-table.ts';
import type { MessageCut, NodeState } from './message-table.ts';
import { growTree } from './message-tree.ts';
import type { MessageDigests } from './message-tree.ts';
import { buildRecipe } from './recipe.ts';
import type { Recipe } from './recipe.ts';
import { RoomPool } from './room-pool.ts';
import { Scratch } from './scratch.ts';
import { PieceList } from './piece-list.ts';
import { ownSection, SessionMemory } from './session-memory.ts';
import type { RememberedBody, SectionCut } from './session-memory.ts';

/** A piece to be stored: its bytes (a view of the body, or a recipe) and their address. */
export interface CutPiece {
  hash: Buffer;
  bytes: Buffer;
}

/** A node of the prefix tree to be stored. */
export interface CutNode {
  hash: Buffer;
  /** Undefined for a first message. */
  parent: Buffer | undefined;
  /** Messages up to and including this one: 1 for a first message. */
  depth: number;
  recipe: Buffer;
  strictChain: Buffer;
  looseChain: Buffer;
}

/** A request body, ready to be stored. All but `nodes`, `knownNodes` and `pieces` depends on the bytes alone. */
export interface CutBody {
  sha256: Buffer;
  length: number;
  /** tree: head, message nodes, tail. whole: the head recipe alone gives the body. */
  form: 'tree' | 'whole';
  headHash: Buffer;
  tailHash: Buffer | undefined;
  /** Node of the last message; undefined without messages. */
  leaf: Buffer | undefined;
  /** Nodes below the deepest one known from the session's last body, parents first. */
  nodes: CutNode[];
  /** How many nodes above those are taken to be stored already. */
  knownNodes: number;
  /** What the listed nodes, and a head and tail not known, refer to, with the recipes of the latter; each hash once. */
  pieces: CutPiece[];
  facts: BodyFacts;
}

export interface CutRequest {
  /** Whose last body to compare with (session and agent); without it nothing is compared or remembered. */
  sessionKey?: string;
  /** De-duplication ends with the week: a body of another week is not compared with. */
  week: number;
  /** Kept until the session's next bodies, and part of the pieces; must not be written to afterwards. */
  body: Buffer;
  /** The caller writes to `body` once it is cut: what is kept and answered of it is copied. */
  isTransient?: boolean;
}

/** Marks for the next body of a session: it changes the last message, from which the cache mark moves on, or adds to it. */
const LIKELY_CHANGES = 2;

const DEFAULT_MEMORY_BYTES = 128 * 1024 * 1024;
/** So much of the memory may be kept for bodies to come. */
const FREE_SHARE = 1 / 8;

/**
 * Cuts request bodies into pieces and prefix-tree nodes.
 *
 * It remembers the last bodies of each session, so that what a body shares with the one before is only compared.
 * What it reports as known was reported as new before: call `forget` whenever anything it returned did not reach
 * the database.
 */
export class BodyCutter {
  readonly #digests: MessageDigests;
  readonly #memory: SessionMemory;
  readonly #rooms: RoomPool;
  /** Where bodies can be read to that are cut as transient. */
  readonly scratch = new Scratch();

  constructor(options: { memoryBytes?: number; digests: MessageDigests }) {
    const memoryBytes = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
    this.#digests = options.digests;
    this.#rooms = new RoomPool(memoryBytes * FREE_SHARE);
    this.#memory = new SessionMemory(memoryBytes * (1 - FREE_SHARE), this.#rooms);
  }

  /** Bytes held for sessions, by estimate. */
  get memoryBytes(): number {
    return this.#memory.bytes + this.#rooms.freeBytes;
  }

  /** Where a body can be read to that is not cut as transient, with room for the session's next ones. */
  room(bytes: number): Buffer {
    return this.#rooms.take(roomFor(bytes)).subarray(0, bytes);
  }

  /** The pieces of all bodies cut so far are done with: the memory of those that are not remembered is used again. */
  recycle(): void {
    this.#rooms.recycle();
  }

  /** Whether a body of the session was cut before and is remembered. */
  remembers(sessionKey: string): boolean {
    return this.#memory.has(sessionKey);
  }

  /** Drops what is known of one session, or of all. */
  forget(sessionKey?: string): void {
    this.#memory.forget(sessionKey);
  }

  /** Never throws on any content. Linear in what differs from the session's last body. */
  cut(request: CutRequest): CutBody {
    const cut = this.#cut(request);
    return request.isTransient === true ? { ...cut, pieces: copyPieces(cut.pieces) } : cut;
  }

  #cut({ sessionKey, week, body, isTransient = false }: CutRequest): CutBody {
    const earlier = sessionKey === undefined ? undefined : this.#memory.find(sessionKey, week, body);
    const parts = new BodyDivider({ body, earlier, digests: this.#digests }).divide();
    if (parts.form === 'whole') {
      this.#rooms.giveBack(body);
      return cutWhole(body, parts);
    }
    const deepestKnown = deepestKnownNode(parts, earlier);
    const nodes = this.#grow(parts.messages, deepestKnown);
    const listed = newNodes(parts, nodes, deepestKnown);
    const texts = pickTexts(body, parts, earlier);
    const digest = hashParts({ body, parts, earlier, isRemembered: sessionKey !== undefined });
    // Before the memory is updated, which may overwrite the bytes some of them were found in.
    const pieces = newPieces(body, parts);
    if (sessionKey === undefined) this.#rooms.giveBack(body);
    else {
      const kept = isTransient
        ? { body: this.#copyBody(body, earlier, sharedBytes(parts)), viewedIn: undefined }
        : { body: this.#ownBytes(body), viewedIn: this.#rooms.round };
      this.#remember({ sessionKey, parts, nodes, earlier }, { week, ...kept, ...digest, ...texts });
    }
    return {
      sha256: digest.sha256,
      length: body.length,
      form: 'tree',
      headHash: parts.head.recipeHash,
      tailHash: parts.tail.recipeHash,
      leaf: (nodes.at(-1) ?? deepestKnown)?.hash,
      nodes: listed,
      knownNodes: parts.knownMessages,
      pieces,
      facts: mergeFacts([parts.head.facts, parts.tail.facts], {
        messageCount: messageCount(parts),
        firstText: texts.firstText.text,
        lastUserText: texts.lastText.text,
      }),
    };
  }

  /** The body itself, or a copy if it is a small view of a large buffer that would be kept alive with it. */
  #ownBytes(body: Buffer): Buffer {
    if (body.buffer.byteLength <= 2 * body.length + 16_384) return body;
    const own = this.room(body.length);
    body.copy(own);
    return own;
  }

  /** A copy of the body, over the earlier one where that has the room, of which `shared` bytes are there already. */
  #copyBody(body: Buffer, earlier: RememberedBody | undefined, shared: number): Buffer {
    const isViewed = earlier?.viewedIn === this.#rooms.round;
    const room = earlier === undefined || isViewed ? undefined : this.#rooms.roomOf(earlier.body);
    if (room !== undefined && room.length >= body.length) {
      body.copy(room, shared, shared);
      return room.subarray(0, body.length);
    }
    const own = this.room(body.length);
    body.copy(own);
    return own;
  }

  #grow(messages: readonly MessageCut[], deepestKnown: NodeState | undefined): NodeState[] {
    let parent = deepestKnown;
    return messages.map((message) => (parent = growTree(parent, message, this.#digests)));
  }

  /** What the earlier body had the new one takes over: the earlier one is forgotten with that. */
  #remember(
    cut: {
      sessionKey: string;
      parts: BodyParts;
      nodes: readonly NodeState[];
      earlier: RememberedBody | undefined;
    },
    rest: Omit<RememberedBody, 'head' | 'messages' | 'bounds' | 'tail'>,
  ): void {
    const { parts, earlier } = cut;
    const table = earlier?.messages ?? new MessageTable();
    table.replaceFrom(parts.knownMessages, parts.messages, cut.nodes);
    const head = parts.knownHead ? parts.head : ownSection(parts.head);
    const tail = parts.knownTail ? parts.tail : ownSection(parts.tail);
    this.#memory.remember(
      cut.sessionKey,
      { ...rest, head, messages: table, bounds: parts.bounds, tail },
      earlier,
    );
  }
}

function messageCount({ messages, knownMessages }: BodyParts): number {
  return knownMessages + messages.length;
}

function deepestKnownNode(
  { knownMessages }: BodyParts,
  earlier: RememberedBody | undefined,
): NodeState | undefined {
  return knownMessages > 0 ? earlier?.messages.node(knownMessages - 1) : undefined;
}

function cutWhole(body: Buffer, { facts }: UndividedBody): CutBody {
  const digest = sha256(body);
  // the one piece is the body itself, whose hash is known: a body of 32 MB is not hashed twice
  const self = { hash: Buffer.from(digest.subarray(0, CONTENT_HASH_BYTES)), start: 0, length: body.length };
  const known = PieceList.ofSize(1);
  known.put(0, self);
  const recipe = buildRecipe(body, [], { text: body, pieces: known });
  const headHash = contentHash(recipe.bytes);
  const pieces = new PieceCollector();
  pieces.add(headHash, recipe.bytes);
  pieces.addAll(recipe, body);
  return {
    sha256: digest,
    length: body.length,
    form: 'whole',
    headHash,
    tailHash: undefined,
    leaf: undefined,
    nodes: [],
    knownNodes: 0,
    pieces: pieces.items,
    facts,
  };
}

function hashParts(options: {
  body: Buffer;
  parts: BodyParts;
  earlier: RememberedBody | undefined;
  isRemembered: boolean;
}): Pick<RememberedBody, 'sha256' | 'checkpoints'> {
  const { body, parts, earlier } = options;
  if (!options.isRemembered) return { sha256: sha256(body), checkpoints: [] };
  const { knownHead, knownMessages, knownTail } = parts;
  const isEqual =
    knownHead && knownTail && parts.messages.length === 0 && knownMessages === earlier?.messages.count;
  if (earlier !== undefined && isEqual) return { sha256: earlier.sha256, checkpoints: earlier.checkpoints };
  return hashBody(body, {
    earlier: earlier?.checkpoints ?? [],
    shared: sharedBytes(parts),
    marks: parts.bounds.slice(-LIKELY_CHANGES),
  });
}

function newNodes(
  { messages, knownMessages }: BodyParts,
  nodes: readonly NodeState[],
  deepestKnown: NodeState | undefined,
): CutNode[] {
  return nodes.map(({ hash, strictChain, looseChain }, offset) => ({
    hash,
    parent: (nodes[offset - 1] ?? deepestKnown)?.hash,
    depth: knownMessages + offset + 1,
    recipe: (messages[offset] as MessageCut).recipe.bytes,
    strictChain,
    looseChain,
  }));
}

function newPieces(body: Buffer, parts: BodyParts): CutPiece[] {
  const { head, messages, knownMessages, bounds, tail } = parts;
  const pieces = new PieceCollector();
  if (!parts.knownHead) pieces.addSection(head, body);
  for (const [offset, { recipe }] of messages.entries()) {
    if (recipe.pieces.count > 0) pieces.addAll(recipe, body.subarray(bounds[knownMessages + offset]));
  }
  if (!parts.knownTail) pieces.addSection(tail, body.subarray(bounds.at(-1)));
  return pieces.items;
}

/** Pieces in order of first appearance, each once. */
class PieceCollector {
  readonly items: CutPiece[] = [];
  readonly #seen = new Set<string>();

  add(hash: Buffer, bytes: Buffer): void {
    const key = hashKey(hash);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.items.push({ hash, bytes });
  }

  addAll(recipe: Recipe, text: Buffer): void {
    const { pieces } = recipe;
    for (let index = 0; index < pieces.count; index++) {
      const start = pieces.start(index);
      this.add(pieces.hash(index), text.subarray(start, start + pieces.length(index)));
    }
  }

  addSection(section: SectionCut, text: Buffer): void {
    this.add(section.recipeHash, section.recipe.bytes);
    this.addAll(section.recipe, text);
  }
}

/** First and last text of the user, from the messages parsed now, the session's memory, or the body once more. */
function pickTexts(
  body: Buffer,
  parts: BodyParts,
  earlier: RememberedBody | undefined,
): Pick<RememberedBody, 'firstText' | 'lastText'> {
  const { knownMessages } = parts;
  const first = firstUserText(parts, earlier);
  const last = lastUserText(parts, earlier);
  const read = (index: number): { first: string; last: string } | undefined =>
    parts.userTexts.get(index) ?? readAgain(body, parts, index, earlier);
  const pick = (
    index: number,
    which: 'first' | 'last',
    known: { index: number; text: string | undefined } | undefined,
  ) => {
    if (index < 0) return { index, text: undefined };
    return known?.index === index && index < knownMessages ? known : { index, text: read(index)?.[which] };
  };
  return {
    firstText: pick(first, 'first', earlier?.firstText),
    lastText: pick(last, 'last', earlier?.lastText),
  };
}

function firstUserText({ messages, knownMessages }: BodyParts, earlier: RememberedBody | undefined): number {
  const known = earlier?.messages.firstUserText(knownMessages) ?? -1;
  if (known >= 0) return known;
  const offset = messages.findIndex(({ hasUserText }) => hasUserText);
  return offset < 0 ? -1 : knownMessages + offset;
}

function lastUserText({ messages, knownMessages }: BodyParts, earlier: RememberedBody | undefined): number {
  const offset = messages.findLastIndex(({ hasUserText }) => hasUserText);
  return offset < 0 ? (earlier?.messages.lastUserText(knownMessages) ?? -1) : knownMessages + offset;
}

function readAgain(
  body: Buffer,
  { messages, bounds, knownMessages }: BodyParts,
  index: number,
  earlier: RememberedBody | undefined,
): { first: string; last: string } | undefined {
  const text = body.subarray(bounds[index], bounds[index + 1]);
  const valueStart = messages[index - knownMessages]?.valueStart ?? earlier?.messages.valueStart(index) ?? 0;
  return readUserTexts(parseMessage(text, valueStart));
}

/** How many leading bytes are those of the earlier body. */
function sharedBytes({ bounds, knownHead, knownMessages }: BodyParts): number {
  return knownHead ? (bounds[knownMessages] as number) : 0;
}

/** The next turns of the session are to fit as well; a small body may double. */
function roomFor(bytes: number): number {
  return bytes + Math.max(Math.min(16_384, bytes), bytes >> 3);
}

function copyPieces(pieces: readonly CutPiece[]): CutPiece[] {
  const all = Buffer.allocUnsafe(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  return pieces.map(({ hash, bytes }) => {
    const start = at;
    at += bytes.copy(all, at);
    return { hash, bytes: all.subarray(start, at) };
  });
}
