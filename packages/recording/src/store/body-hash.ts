import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

/** The state of SHA-256 after the first `offset` bytes of a body. */
export interface HashCheckpoint {
  offset: number;
  state: Hash;
}

/** A body that changes early costs at most this much hashing more than it must. */
const STRIDE_BYTES = 512 * 1024;

/** What one retained state is taken to occupy, native part included. */
export const CHECKPOINT_BYTES = 1024;

/**
 * SHA-256 of `body`, continued from the last earlier state its first `shared` bytes allow.
 *
 * @param options.marks ascending positions at which the next body of the session is likely to go on differently
 */
export function hashBody(
  body: Buffer,
  options: { earlier: readonly HashCheckpoint[]; shared: number; marks: readonly number[] },
): { sha256: Buffer; checkpoints: HashCheckpoint[] } {
  const usable = options.earlier.filter(({ offset }) => offset <= options.shared);
  const last = usable.at(-1);
  const state = last === undefined ? createHash('sha256') : last.state.copy();
  const marks = new Set(options.marks);
  const checkpoints = usable.filter(({ offset }) => offset % STRIDE_BYTES === 0 || marks.has(offset));
  let at = last?.offset ?? 0;
  for (const offset of stops(at, body.length, options.marks)) {
    state.update(body.subarray(at, offset));
    checkpoints.push({ offset, state: state.copy() });
    at = offset;
  }
  return { sha256: state.update(body.subarray(at)).digest(), checkpoints };
}

function stops(after: number, end: number, marks: readonly number[]): number[] {
  const offsets = marks.filter((mark) => mark > after && mark < end);
  for (
    let offset = (Math.floor(after / STRIDE_BYTES) + 1) * STRIDE_BYTES;
    offset < end;
    offset += STRIDE_BYTES
  ) {
    if (!offsets.includes(offset)) offsets.push(offset);
  }
  return offsets.toSorted((a, b) => a - b);
}
