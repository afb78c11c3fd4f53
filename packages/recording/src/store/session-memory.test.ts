import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { canonicalDigests, chain } from '@claude-nexus/domain';
import { describe, expect, it } from 'vitest';

import { BodyCutter } from './body-cutter.ts';
import type { CutPiece } from './body-cutter.ts';
import { contentHash } from './content-hash.ts';
import { Conversation } from './testing/body-generator.ts';
import { Random } from './testing/random.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of buffers, after a garbage collection. */
function bufferBytes(): number {
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

describe('SessionMemory', () => {
  it('lets a session hold no more memory than is counted for it, however many take turns', () => {
    const cutter = new BodyCutter({ digests: { canonicalDigests, chain } });
    const sessions = Array.from({ length: 50 }, (_, index) => ({
      sessionKey: `session ${index}`,
      texts: [] as string[],
    }));
    const before = bufferBytes();
    for (let turn = 0; turn < 10; turn += 1) {
      for (const { sessionKey, texts } of sessions) {
        texts.push(randomBytes(300).toString('hex'));
        const messages = texts.map((content) => ({ role: 'user', content }));
        const body = Buffer.from(JSON.stringify({ model: 'm', messages }));
        cutter.cut({ sessionKey, week: 1, body, isTransient: true });
        // What else goes on in a process uses the pool up, too.
        Buffer.allocUnsafe(3000);
      }
    }
    expect(bufferBytes() - before).toBeLessThan(cutter.memoryBytes);
  });

  it('answers the same as without memory, and leaves it alone until the batch is done, whatever is forgotten', () => {
    const random = new Random(7);
    const sessions = Array.from({ length: 12 }, () => new Conversation(random));
    const cutter = new BodyCutter({ digests: { canonicalDigests, chain }, memoryBytes: 400_000 });
    const fresh = new BodyCutter({ digests: { canonicalDigests, chain } });
    const rooms = new Set<ArrayBufferLike>();
    let answered: CutPiece[] = [];
    let lent = 0;
    for (let batch = 0; batch < 300; batch++) {
      for (let i = random.below(12); i >= 0; i--) {
        const index = random.below(sessions.length);
        if (random.below(6) === 0) sessions[index] = new Conversation(random);
        const sessionKey = index === 0 ? undefined : `session ${index}`;
        const bytes = (sessions[index] as Conversation).next();
        const isTransient = sessionKey !== undefined && cutter.remembers(sessionKey);
        const body = isTransient ? cutter.scratch.take(bytes.length) : cutter.room(bytes.length);
        if (!isTransient) {
          rooms.add(body.buffer);
          lent++;
        }
        bytes.copy(body);
        const cut = cutter.cut({ ...(sessionKey && { sessionKey }), week: 1, body, isTransient });
        answered.push(...cut.pieces);
        const { sha256, headHash, tailHash, leaf } = cut;
        expect(fresh.cut({ week: 1, body: bytes })).toMatchObject({ sha256, headHash, tailHash, leaf });
        if (random.below(20) === 0) cutter.forget(`session ${random.below(sessions.length)}`);
        if (random.below(50) === 0) cutter.forget();
      }
      for (const { hash, bytes } of answered) expect(contentHash(bytes).equals(hash)).toBe(true);
      answered = [];
      cutter.recycle();
    }
    expect(lent - rooms.size, 'rooms used again').toBeGreaterThan(100);
  });

  it('writes the next body of a session over the last one once that is shipped', () => {
    const cutter = new BodyCutter({ digests: { canonicalDigests, chain } });
    const messages = [{ role: 'user', content: randomBytes(30_000).toString('hex') }];
    const first = Buffer.from(JSON.stringify({ model: 'm', messages }));
    const room = cutter.room(first.length);
    first.copy(room);
    cutter.cut({ sessionKey: 's', week: 1, body: room });
    cutter.recycle();
    const before = cutter.memoryBytes;
    const next = Buffer.from(
      JSON.stringify({ model: 'm', messages: [...messages, { role: 'assistant', content: 'b' }] }),
    );
    cutter.cut({ sessionKey: 's', week: 1, body: next, isTransient: true });
    expect(room.toString()).toBe(next.toString('utf8', 0, room.length));
    expect(cutter.memoryBytes - before).toBeLessThan(1000);
  });

  it.each([
    ['of no session', undefined, JSON.stringify({ model: 'm', messages: [], text: 'a'.repeat(50_000) })],
    ['that is no JSON', 's', 'a'.repeat(50_000)],
  ])('uses the memory of a body %s again once that is shipped', (_what, sessionKey, text) => {
    const cutter = new BodyCutter({ digests: { canonicalDigests, chain } });
    const body = cutter.room(text.length);
    body.write(text);
    cutter.cut({ ...(sessionKey && { sessionKey }), week: 1, body });
    expect(cutter.room(text.length).buffer).not.toBe(body.buffer);
    cutter.recycle();
    expect(cutter.room(text.length).buffer).toBe(body.buffer);
  });
});
