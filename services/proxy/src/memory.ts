import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';

const GIBIBYTE = 2 ** 30;

/** Bytes this process may use: what its container allows, or else what the machine has. */
export function availableMemory(): number {
  // 0 where nothing is limited; in some containers a number larger than any machine.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * Lets V8 collect the whole heap less often, in this thread and those started later; to be called first.
 *
 * Bodies live outside of V8's heap. By default 64 MB of them start a full collection, however small the heap is, so at a
 * hundred requests a second the heap would be marked every few seconds for chunks that died long ago: a fifth of the
 * proxy's CPU. With the flags the bodies count like the heap itself, which may grow to four times of what lived after
 * the last collection (the most V8 itself would choose), and to less where there is little memory: a container of 1 GiB
 * would be ended otherwise. Young objects are collected every 16 MB in the recorder's thread (the main thread has its
 * size already): in the 64 MB of a large machine, chunks that died would wait for four times as long.
 */
export function tuneCollector(available: number): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString(`--heap-growing-percent=${growingPercent(available)}`);
  setFlagsFromString('--max-semi-space-size=16');
}

function growingPercent(available: number): number {
  if (available >= 2 * GIBIBYTE) return 300;
  return available >= GIBIBYTE ? 100 : 50;
}
