import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 500;

/** Asks again until there is an answer. @throws Error naming `what` when there is none in time */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  seconds = 180,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await delay(POLL_MS);
  }
}
