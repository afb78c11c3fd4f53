import { writeSync } from 'node:fs';

const STANDARD_OUTPUT = 1;
const PAUSE_MS = 10;
/** A reader that takes nothing for so long is not waited for again until it has taken something. */
const PATIENCE_MS = 1000;

/** The parts of the system that are replaced in tests. */
export interface OutputHost {
  /** `fs.writeSync`: how many bytes were taken. */
  write(bytes: Uint8Array): number;
  pause(ms: number): void;
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const SYSTEM: OutputHost = {
  write: (bytes) => writeSync(STANDARD_OUTPUT, bytes),
  pause: (ms) => void Atomics.wait(cell, 0, 0, ms),
};

/**
 * Standard output, each line written before `write` returns: nothing is left to flush when the program ends. Whoever reads
 * it may be slow, stand still or be gone; the program then goes on, and ends, without that part of its log. (sonic-boom
 * holds lines back for the next tick, and its `flushSync` tries again for ever after any error but EAGAIN.)
 */
export function standardOutput(host: OutputHost = SYSTEM): { write(line: string): void } {
  let isGone = false;
  let patienceMs = PATIENCE_MS;
  /** Of a line begun, what the reader has yet to take. */
  let torn: Uint8Array = Buffer.alloc(0);

  /** @returns bytes taken; 0 when the reader has no room */
  function attempt(bytes: Uint8Array): number {
    try {
      const taken = host.write(bytes);
      patienceMs = PATIENCE_MS;
      return taken;
    } catch (error) {
      isGone = (error as NodeJS.ErrnoException).code !== 'EAGAIN';
      return 0;
    }
  }

  /** @returns what was not taken */
  function send(bytes: Uint8Array): Uint8Array {
    let rest = bytes;
    while (rest.length > 0 && !isGone) {
      const taken = attempt(rest);
      rest = rest.subarray(taken);
      if (taken > 0 || isGone) continue;
      if (patienceMs <= 0) break;
      host.pause(PAUSE_MS);
      patienceMs -= PAUSE_MS;
    }
    return rest;
  }

  return {
    write(line) {
      torn = send(torn);
      if (torn.length > 0) return;
      const bytes = Buffer.from(line);
      const rest = send(bytes);
      // A line is dropped whole or not at all, or it would spoil the next one.
      if (rest.length < bytes.length) torn = rest;
    },
  };
}
