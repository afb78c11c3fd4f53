import { describe, expect, it } from 'vitest';
import { BodyCutter } from './body-cutter.ts';
import type { CutBody } from './body-cutter.ts';
import { contentHash, hashKey } from './content-hash.ts';
import { cutResponse } from './cut-response.ts';
import { rebuildResponse } from './rebuild.ts';
import { claudeSession } from './testing/claude-session.ts';
import { Language } from './testing/language.ts';
import { MemoryPieceStore } from './testing/memory-piece-store.ts';
import { Random } from './testing/random.ts';
import { testDigests } from './testing/test-digests.ts';

const random = new Random(99);
const language = new Language(random);
const essay = language.text(1500);
const reply = language.text(900);
const mark = { cache_control: { type: 'ephemeral' } };
const tools = [{ name: 'Read', description: language.text(2000), input_schema: { type: 'object' } }];

function bodyOf(messages: readonly object[], rest: object = { tools, stream: true }): Buffer {
  return Buffer.from(JSON.stringify({ model: 'claude-test', messages, ...rest }));
}

function newCutter(memoryBytes?: number): BodyCutter {
  return new BodyCutter({ digests: testDigests, ...(memoryBytes !== undefined && { memoryBytes }) });
}

function cut(
  cutter: BodyCutter,
  body: Buffer,
  options: { sessionKey?: string; week?: number; isTransient?: boolean } = {},
): CutBody {
  return cutter.cut({ sessionKey: 's', week: 1, body, ...options });
}

function texts(cutBody: CutBody): string[] {
  return cutBody.pieces.map(({ bytes }) => bytes.toString());
}

const ask = { role: 'user', content: [{ type: 'text', text: essay }] };
const answer = { role: 'assistant', content: [{ type: 'text', text: reply }] };
const again = { role: 'user', content: 'and then?' };

describe('BodyCutter', () => {
  it('lists of a next turn only what is new', () => {
    const cutter = newCutter();
    const first = cut(cutter, bodyOf([ask]));
    expect([first.nodes.length, first.knownNodes, first.pieces.length]).toEqual([1, 0, 4]);
    const second = cut(cutter, bodyOf([ask, answer, again]));
    expect(second.knownNodes).toBe(1);
    expect(second.nodes.map(({ depth }) => depth)).toEqual([2, 3]);
    expect(second.nodes.map(({ parent }) => parent)).toEqual([first.leaf, second.nodes[0]?.hash]);
    expect(second.leaf).toEqual(second.nodes[1]?.hash);
    expect(texts(second)).toEqual([JSON.stringify(reply)]);
    expect([second.headHash, second.tailHash]).toEqual([first.headHash, first.tailHash]);
  });

  it('lists nothing of a body sent again', () => {
    const cutter = newCutter();
    const first = cut(cutter, bodyOf([ask, answer, again]));
    const second = cut(cutter, bodyOf([ask, answer, again]));
    expect(second).toEqual({ ...first, nodes: [], pieces: [], knownNodes: 3 });
  });

  it('shares a text that stands as a string, as a block, and in a tool result', () => {
    const forms = [
      { role: 'user', content: essay },
      { role: 'user', content: [{ type: 'text', text: essay }] },
      { role: 'user', content: [{ type: 'text', text: essay, ...mark }] },
      {
        role: 'user',
        content: [{ tool_use_id: 'a', type: 'tool_result', content: [{ type: 'text', text: essay }] }],
      },
    ];
    const cutter = newCutter();
    for (const form of forms)
      expect(texts(cut(cutter, bodyOf([form]), { sessionKey: '' }))).toContain(JSON.stringify(essay));
    const all = cut(cutter, bodyOf(forms, {}), { sessionKey: 'all' });
    expect(texts(all).filter((piece) => piece.length > 1000)).toEqual([JSON.stringify(essay)]);
  });

  it('keeps a cache mark that moves on in the glue', () => {
    const cutter = newCutter();
    const store = new MemoryPieceStore({ asFrames: true });
    const marked = { role: 'user', content: [{ type: 'text', text: essay, ...mark }] };
    store.putBody(cut(cutter, bodyOf([marked])));
    const before = store.pieceCount;
    const moved = cut(
      cutter,
      bodyOf([ask, answer, { role: 'user', content: [{ type: 'text', text: 'go on', ...mark }] }]),
    );
    store.putBody(moved);
    expect(moved.knownNodes).toBe(0);
    expect(store.pieceCount).toBe(before + 1);
  });

  it('gives the nodes of equal prefixes the same hashes in every session', () => {
    const cutter = newCutter();
    const one = cut(cutter, bodyOf([ask, answer]), { sessionKey: 'one' });
    const other = cut(cutter, bodyOf([ask, answer, again], { max_tokens: 3 }), { sessionKey: 'other' });
    expect(other.nodes.slice(0, 2)).toEqual(one.nodes);
    const elsewhere = cut(cutter, bodyOf([again, ask, answer]), { sessionKey: 'third' });
    expect(elsewhere.nodes[2]?.hash).not.toEqual(one.nodes[1]?.hash);
  });

  it('chains the digests of the messages', () => {
    const { nodes } = cut(newCutter(), bodyOf([ask, answer]));
    const digests = [ask, answer].map((message) => testDigests.canonicalDigests(message));
    const first = testDigests.chain(undefined, digests[0]?.strict as Buffer);
    expect(nodes[1]?.strictChain).toEqual(testDigests.chain(first, digests[1]?.strict as Buffer));
    expect(nodes[1]?.looseChain).not.toEqual(nodes[1]?.strictChain);
  });

  it('goes on after a change in the middle with what it knows', () => {
    let digested = 0;
    const counting = {
      ...testDigests,
      canonicalDigests: (message: unknown) => {
        digested++;
        return testDigests.canonicalDigests(message);
      },
    };
    const cutter = new BodyCutter({ digests: counting });
    const messages = Array.from({ length: 100 }, (_, i) => ({ role: 'user', content: `${i} ${essay}` }));
    cut(cutter, bodyOf(messages));
    expect(digested).toBe(100);
    const changed = messages.with(50, { role: 'user', content: '[Old tool result content cleared]' });
    const result = cut(cutter, bodyOf(changed));
    expect(digested).toBe(101);
    expect([result.knownNodes, result.nodes.length]).toEqual([50, 50]);
  });

  it('neither keeps nor answers views of a transient body, nor writes over what it answered', () => {
    const cutter = newCutter();
    const bodies = Array.from({ length: 4 }, (_, turn) =>
      bodyOf([ask, { role: 'user', content: `${turn} ${essay.toUpperCase()}` }]),
    );
    const answered = bodies.map((body, turn) => {
      const place = turn === 0 ? Buffer.allocUnsafeSlow(body.length) : cutter.scratch.take(body.length);
      body.copy(place);
      const result = cut(cutter, place, { isTransient: turn > 0 });
      if (turn > 0) place.fill('!');
      return result;
    });
    expect(answered.map(({ knownNodes }) => knownNodes)).toEqual([0, 1, 1, 1]);
    for (const { hash, bytes } of answered.flatMap(({ pieces }) => pieces))
      expect(contentHash(bytes)).toEqual(hash);
    expect(cut(cutter, bodies[3] as Buffer).knownNodes).toBe(2);
  });

  it('knows nothing in another week, of another session, or after forgetting', () => {
    const cutter = newCutter();
    const body = bodyOf([ask, answer]);
    cut(cutter, body);
    expect(cut(cutter, body).knownNodes).toBe(2);
    expect(cut(cutter, body, { sessionKey: 'other' }).knownNodes).toBe(0);
    expect(cut(cutter, body, { week: 2 }).knownNodes).toBe(0);
    cutter.forget('s');
    expect(cut(cutter, body, { week: 2 }).knownNodes).toBe(0);
    cutter.forget();
    expect(cutter.memoryBytes).toBe(0);
    expect(cut(cutter, body, { week: 2 }).knownNodes).toBe(0);
  });

  it('remembers a conversation although another request of the session came between', () => {
    const cutter = newCutter();
    cut(cutter, bodyOf([ask, answer]));
    cut(cutter, bodyOf([{ role: 'user', content: 'a title, please' }], { max_tokens: 1 }));
    expect(cut(cutter, bodyOf([ask, answer, again])).knownNodes).toBe(2);
  });

  it('forgets the sessions used least recently first', () => {
    const cutter = newCutter(60_000);
    const body = bodyOf([ask, answer]);
    for (const sessionKey of ['a', 'b', 'c', 'd', 'e']) cut(cutter, body, { sessionKey });
    cut(cutter, body, { sessionKey: 'a' });
    for (let i = 0; i < 20; i++) {
      cut(cutter, body, { sessionKey: `more ${i}` });
      expect(cut(cutter, body, { sessionKey: 'a' }).knownNodes).toBe(2);
      expect(cutter.memoryBytes).toBeLessThanOrEqual(60_000);
    }
    expect(cut(cutter, body, { sessionKey: 'b' }).knownNodes).toBe(0);
  });

  it('does not give up others for a body larger than its memory', () => {
    const cutter = newCutter(60_000);
    const body = bodyOf([ask, answer]);
    cut(cutter, body);
    cut(cutter, bodyOf([{ role: 'user', content: essay.repeat(50) }]), { sessionKey: 'large' });
    expect(cut(cutter, body).knownNodes).toBe(2);
  });

  it('does not keep a large buffer alive for a small body', () => {
    const body = bodyOf([ask]);
    const large = Buffer.alloc(1_000_000);
    const view = large.subarray(500, 500 + body.copy(large, 500));
    const cutter = newCutter();
    cut(cutter, view);
    large.fill(0);
    expect(cut(cutter, body).knownNodes).toBe(1);
  });

  it.each([
    ['too many messages', `{"messages":[${'{},'.repeat(20_000)}{}]}`, 'whole'],
    ['as many as allowed', `{"messages":[${'{},'.repeat(19_999)}{}]}`, 'tree'],
    ['too much between long strings', `{"messages":[{"a":[${'1,'.repeat(2_200_000)}1]}]}`, 'whole'],
  ])('keeps a body whole or not: %s', (_, body, form) => {
    const cutter = newCutter();
    expect(cut(cutter, Buffer.from(body)).form).toBe(form);
    expect(cut(cutter, Buffer.from(body)).form).toBe(form);
  });
});

describe('cutResponse', () => {
  it('shares long strings with the next request', () => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', content: answer.content, usage: {} };
    const response = cutResponse(Buffer.from(JSON.stringify(message)));
    const request = cut(newCutter(), bodyOf([ask, answer]));
    const hashes = new Set(request.pieces.map(({ hash }) => hashKey(hash)));
    expect(response.pieces.map(({ hash }) => hashKey(hash)).filter((key) => hashes.has(key))).toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['an error', '{"type":"error","error":{"type":"overloaded_error"}}'],
    ['a page', `<html>${'x'.repeat(3000)}</html>`],
    ['JSON and more', `{"a":"${'x'.repeat(600)}"} {"b":"${'y'.repeat(600)}"}`],
    ['JSON cut off', `{"a":"${'x'.repeat(600)}","b":"yy`],
    ['spaces around', ` {"a":"${'x'.repeat(600)}","b":"${'x'.repeat(600)}"}\n`],
    ['a string', `"${'x'.repeat(600)}"`],
    ['too deep', '['.repeat(200_000)],
  ])('is rebuilt byte for byte: %s', (_, text) => {
    const body = Buffer.from(text);
    const response = cutResponse(body);
    const store = new MemoryPieceStore({ asFrames: true });
    store.putResponse(response);
    expect(store.readResponse(response).equals(body)).toBe(true);
    for (const { hash, bytes } of response.pieces) expect(contentHash(bytes)).toEqual(hash);
  });
});

describe('rebuilding refuses', () => {
  const body = Buffer.from(JSON.stringify({ a: essay, b: reply }));
  const { pieces, ...source } = cutResponse(body);
  const find = (hash: Buffer): Buffer | undefined => pieces.find((piece) => piece.hash.equals(hash))?.bytes;

  it.each([
    ['a missing piece', source, () => undefined, 'NEXUS_PIECE_MISSING'],
    ['another SHA-256', { ...source, sha256: Buffer.alloc(32) }, find, 'NEXUS_BODY_MISMATCH'],
    ['a shorter body', { ...source, length: source.length + 1 }, find, 'NEXUS_BODY_MISMATCH'],
    ['a longer body', { ...source, length: source.length - 1 }, find, 'NEXUS_BODY_MISMATCH'],
    [
      'a changed piece',
      source,
      (hash: Buffer) => find(hash)?.map((byte) => byte ^ 1) as Buffer,
      'NEXUS_BODY_MISMATCH',
    ],
  ])('%s', (_, from, lookup, code) => {
    expect(rebuildResponse(source, find).equals(body)).toBe(true);
    expect(() => rebuildResponse(from, lookup)).toThrow(expect.objectContaining({ code }));
  });

  it('and names the piece that is missing', () => {
    expect(() => rebuildResponse(source, () => undefined)).toThrow(
      expect.objectContaining({ pieceHash: pieces[0]?.hash.toString('hex') }),
    );
  });
});

describe('a session of 40 turns', () => {
  it('adds to the store little more than its compressed content', () => {
    const turns = claudeSession({
      random: new Random(40),
      text: (n) => language.text(n),
      turns: 40,
      growth: 9100,
    });
    const cutter = newCutter();
    const store = new MemoryPieceStore({ asFrames: true });
    let raw = 0;
    for (const { request, response } of turns) {
      store.putBody(cut(cutter, request));
      store.putResponse(cutResponse(response));
      raw += request.length + response.length;
    }
    // two nodes per turn, and one again for the message that carried the cache mark
    expect(store.nodeCount).toBeLessThanOrEqual(3 * 40);
    expect(store.pieceCount).toBeLessThanOrEqual(6 * 40);
    expect(raw / (store.frameBytes + store.recipeBytes)).toBeGreaterThan(45);
  });
});
