import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { canonicalDigests, chain } from '@claude-nexus/domain';
import { describe, expect, it } from 'vitest';

import { BodyCutter } from './body-cutter.ts';

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
});
