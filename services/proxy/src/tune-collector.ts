import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 collect the whole heap less often, in this thread and those started later; to be called first.
 *
 * Bodies live outside of V8's heap. By default 64 MB of them start a full collection, however small the heap is, so at a
 * hundred requests a second the heap would be marked every few seconds for chunks that died long ago: a fifth of the
 * proxy's CPU. With the flags the bodies count like the heap itself, which may grow to four times of what lived after
 * the last collection (the most V8 itself would choose), within the limit that Node derives from the machine or container.
 */
export function tuneCollector(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--heap-growing-percent=300');
}
