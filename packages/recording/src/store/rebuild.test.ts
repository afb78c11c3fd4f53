import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BodyCutter } from './body-cutter.ts';
import type { CutBody, CutPiece } from './body-cutter.ts';
import { contentHash, hashKey } from './content-hash.ts';
import { Conversation, mutate } from './testing/body-generator.ts';
import { claudeSession } from './testing/claude-session.ts';
import { Language } from './testing/language.ts';
import { MemoryPieceStore } from './testing/memory-piece-store.ts';
import { Random } from './testing/random.ts';
import { testDigests } from './testing/test-digests.ts';

/** What a body is cut into must not depend on what was cut before. */
function sameCut(remembering: CutBody, fresh: CutBody): void {
  const { nodes, knownNodes, pieces, ...rest } = remembering;
  const { nodes: allNodes, knownNodes: none, pieces: allPieces, ...freshRest } = fresh;
  // not `expect`, which takes longer over a few thousand bytes than everything else here
  if (!isDeepStrictEqual(rest, freshRest)) expect(rest).toEqual(freshRest);
  if (none !== 0) throw new Error('something is known without a session');
  const restNodes = allNodes.slice(knownNodes);
  if (!isDeepStrictEqual(nodes, restNodes)) expect(nodes).toEqual(restNodes);
  const known = new Map(allPieces.map(({ hash, bytes }) => [hashKey(hash), bytes]));
  for (const { hash, bytes } of pieces) {
    if (known.get(hashKey(hash))?.equals(bytes) !== true)
      throw new Error('a piece only one of the two lists');
  }
}

/** Cuts bodies as one session, with and without memory, and reads each back from what was stored so far. */
class Pair {
  readonly #remembering = new BodyCutter({ digests: testDigests });
  readonly #fresh = new BodyCutter({ digests: testDigests });
  readonly #stores: readonly MemoryPieceStore[];
  #answered: CutPiece[] = [];
  bodies = 0;
  trees = 0;
  known = 0;

  constructor(options: { asFrames: boolean } = { asFrames: true }) {
    this.#stores = [new MemoryPieceStore(options), new MemoryPieceStore(options)];
  }

  check(body: Buffer): CutBody {
    const remembering = this.#cutRemembering(body);
    const fresh = this.#fresh.cut({ week: 7, body });
    sameCut(remembering, fresh);
    for (const [index, cut] of [remembering, fresh].entries()) {
      const store = this.#stores[index] as MemoryPieceStore;
      store.putBody(cut);
      if (!store.readBody(cut).equals(body)) throw new Error('the rebuilt body differs');
    }
    this.bodies++;
    if (fresh.form === 'tree') this.trees++;
    this.known += remembering.knownNodes;
    return fresh;
  }

  /** As the recorder does it: bodies in memory that is used again, later ones at once, all of them after a batch. */
  #cutRemembering(body: Buffer): CutBody {
    const cutter = this.#remembering;
    const isTransient = this.bodies % 3 > 0 && cutter.remembers('s');
    const place = isTransient ? cutter.scratch.take(body.length) : cutter.room(body.length);
    body.copy(place);
    const cut = cutter.cut({ sessionKey: 's', week: 7, body: place, isTransient });
    if (isTransient) place.fill('!');
    this.#answered.push(...cut.pieces.slice(-4));
    if (this.bodies % 4 === 0) this.#endBatch();
    return cut;
  }

  #endBatch(): void {
    for (const { hash, bytes } of this.#answered) {
      if (!contentHash(bytes).equals(hash)) throw new Error('a piece answered earlier has changed');
    }
    this.#answered = [];
    this.#remembering.recycle();
  }
}

/** The cuts of a body: where its pieces begin and end, and some places between. */
function cutPositions(body: Buffer, cut: CutBody): number[] {
  const positions = cut.pieces.flatMap(({ bytes }) => {
    const at = bytes.buffer === body.buffer ? bytes.byteOffset - body.byteOffset : 0;
    return [at, at + bytes.length];
  });
  return [...new Set(positions)].filter((at) => at < body.length);
}

describe('a body is rebuilt byte for byte', () => {
  it(
    'for 10,000 bodies that share prefixes, changed at every cut, with the session remembered and without',
    { timeout: 120_000 },
    () => {
      const random = new Random(20_261_123);
      let bodies = 0;
      let trees = 0;
      let known = 0;
      while (bodies < 10_000) {
        const pair = new Pair();
        const conversation = new Conversation(random);
        for (let turn = 0; turn < 8; turn++) {
          const body = conversation.next();
          const cut = pair.check(body);
          for (const position of cutPositions(body, cut)) pair.check(mutate(body, position, random));
          for (let i = 0; i < 4; i++) pair.check(mutate(body, random.below(body.length + 1), random));
          pair.check(body);
        }
        bodies += pair.bodies;
        trees += pair.trees;
        known += pair.known;
      }
      expect(trees).toBeGreaterThan(bodies / 3);
      expect(known).toBeGreaterThan(bodies);
    },
  );

  it('for a session as Claude Code sends it', () => {
    const random = new Random(1);
    const language = new Language(random);
    const pair = new Pair();
    for (const { request } of claudeSession({
      random,
      text: (n) => language.text(n),
      turns: 12,
      growth: 9000,
    })) {
      expect(pair.check(request).form).toBe('tree');
    }
  });

  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const deepObject = '{"a":'.repeat(200_000) + '0' + '}'.repeat(200_000);
  const message = '{"role":"user","content":"hi"}';
  it.each<[string, 'tree' | 'whole', string | Buffer]>([
    ['empty', 'whole', ''],
    ['one byte', 'whole', '{'],
    ['not JSON', 'whole', 'hello'.repeat(300)],
    ['compressed', 'whole', gzipSync(`{"messages":[${message}]}`)],
    ['an array', 'whole', `[${message}]`],
    ['without messages', 'whole', '{"model":"x","tools":[]}'],
    ['messages no array', 'whole', '{"messages":{"a":1}}'],
    ['messages twice', 'whole', `{"messages":[${message}],"messages":[]}`],
    ['messages twice, once escaped', 'whole', `{"messages":[${message}],"m\\u0065ssages":[]}`],
    ['a message no object', 'whole', '{"messages":["a"]}'],
    ['a message that is not JSON', 'whole', '{"messages":[{"role":user}]}'],
    ['a trailing comma', 'whole', `{"messages":[${message},]}`],
    ['a missing comma', 'whole', `{"messages":[${message}${message}]}`],
    ['trailing garbage', 'whole', `{"messages":[${message}]}x`],
    ['cut off in a string', 'whole', `{"messages":[${message},{"role":"us`],
    ['cut off after an escape', 'whole', `{"messages":[${message},{"role":"us\\`],
    ['cut off in the tail', 'whole', `{"messages":[${message}],"tools":[{"name":"a"`],
    ['200,000 arrays deep', 'whole', deep],
    ['a message 200,000 objects deep', 'whole', `{"messages":[{"role":"user","content":${deepObject}}]}`],
    ['a tool 200,000 arrays deep', 'whole', `{"messages":[${message}],"tools":${deep}}`],
    ['no messages yet', 'tree', '{"messages":[ ],"model":"x"}'],
    ['messages only', 'tree', `{"messages":[${message}]}`],
    ['a byte order mark', 'tree', `\u{feff}{"messages":[${message}]}`],
    ['spaces everywhere', 'tree', ` { "messages" : [ ${message} , ${message} ] , "model" : "x" } \n`],
    ['an escaped key', 'tree', `{"\\u006dessages":[${message}]}`],
    [
      'invalid UTF-8',
      'tree',
      Buffer.concat([
        Buffer.from('{"messages":[{"role":"user","content":"'),
        Buffer.from([0xff, 0xc3, 0x28]),
        Buffer.from('"}]}'),
      ]),
    ],
    ['a lone surrogate', 'tree', '{"messages":[{"role":"user","content":"\\ud800"}]}'],
    ['a number of 5,000 digits', 'tree', `{"x":${'9'.repeat(5000)},"messages":[${message}]}`],
    ['a key of 5,000 characters', 'tree', `{"${'k'.repeat(5000)}":1,"messages":[${message}]}`],
    ['backslashes only', 'tree', `{"messages":[{"role":"user","content":"${'\\\\'.repeat(100_000)}"}]}`],
  ])('%s: %s', (_, form, body) => {
    expect(new Pair().check(Buffer.from(body)).form).toBe(form);
  });

  it('for one of 32 MB', { timeout: 60_000 }, () => {
    const random = new Random(32);
    const language = new Language(random);
    const page = language.text(60_000);
    const messages = Array.from({ length: 540 }, (_, i) => ({ role: 'user', content: `${i} ${page}` }));
    const body = Buffer.from(JSON.stringify({ model: 'm', messages }));
    expect(body.length).toBeGreaterThan(32_000_000);
    const pair = new Pair();
    pair.check(body);
    messages.push({ role: 'assistant', content: 'more' });
    expect(pair.check(Buffer.from(JSON.stringify({ model: 'm', messages }))).form).toBe('tree');
    expect(pair.known).toBe(540);
  });
});
