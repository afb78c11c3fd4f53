import { setPriority } from 'node:os';

/** Still about a third of the share of a thread of normal priority: the spool is emptied on a busy machine, too. */
const NICENESS = 5;

/**
 * Lets the threads that serve requests go before the calling one when both want a core. Only on Linux, where a
 * priority belongs to a thread; elsewhere it would be the whole process's.
 */
export function yieldToRequests(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // A sandbox may forbid it; it is an improvement, not a need.
  }
}
