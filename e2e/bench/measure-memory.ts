import { setTimeout as delay } from 'node:timers/promises';

import { BenchClient } from './client.ts';
import type { RequestFactory } from './requests.ts';
import type { Target } from './targets.ts';

/** Resident memory of a fresh process, in bytes. */
export interface MemoryResult {
  readonly target: string;
  /** Length of the request bodies. */
  readonly bodyBytes: number;
  readonly idleBytes: number;
  readonly perStreamBytes: number;
  /** Of these, what the recorder keeps of the sessions' requests, whether their streams are open or not. */
  readonly rememberedPerStreamBytes: number;
}

/** Slow enough to be open together, long enough to be measured. */
const ANSWER = { mode: 'stream', deltas: 1000, paceMs: 500 } as const;
const WARM = { mode: 'burst', deltas: 20, paceMs: 0 } as const;
const OPEN_AT_ONCE = 25;
const SETTLE_MS = 3000;

/**
 * Memory per open stream: a fresh process, before and after the streams are open. They are the second turns of sessions
 * whose first ones have warmed it up: what is kept of a session, whether or not a stream is open, is there already.
 */
export async function measureMemory(
  target: Target,
  options: { factory: RequestFactory; streams: number; bodyBytes: number },
): Promise<MemoryResult | undefined> {
  const { factory, streams, bodyBytes } = options;
  const shape = { bytes: bodyBytes, growth: 1000, stream: true };
  const warm = new BenchClient(target.port);
  const sessions = Array.from({ length: streams }, () => factory.session(shape));
  for (const session of sessions) await warm.exchange(factory.turn(session, WARM));
  warm.close();
  await delay(SETTLE_MS / 2);
  const before = await target.use();
  const rememberedBefore = (await target.recording?.rememberedBytes()) ?? 0;
  const clients: BenchClient[] = [];
  for (let opened = 0; opened < streams; opened += OPEN_AT_ONCE) {
    const batch = sessions.slice(opened, opened + OPEN_AT_ONCE).map(async (session) => {
      const client = new BenchClient(target.port);
      clients.push(client);
      await client.firstBytes(factory.turn(session, ANSWER));
    });
    await Promise.all(batch);
  }
  await delay(SETTLE_MS);
  const after = await target.use();
  const rememberedAfter = (await target.recording?.rememberedBytes()) ?? 0;
  for (const client of clients) client.close();
  if (before === undefined || after === undefined) return undefined;
  return {
    target: target.name,
    bodyBytes,
    idleBytes: before.rssBytes,
    perStreamBytes: (after.rssBytes - before.rssBytes) / streams,
    rememberedPerStreamBytes: (rememberedAfter - rememberedBefore) / streams,
  };
}
