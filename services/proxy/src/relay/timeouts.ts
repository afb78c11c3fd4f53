/** Time limits of the relay, in milliseconds. */
export interface RelayTimeouts {
  /** Connecting to the upstream. */
  readonly connectMs: number;
  /** A client that has begun a body and sends nothing. */
  readonly uploadIdleMs: number;
  /** How far such a client may fall behind a steady pace while there is no room for the bodies of others. */
  readonly uploadGraceMs: number;
  /** Silence of the upstream: before its head, and within an answer that is not an event stream. */
  readonly answerMs: number;
  /** A whole exchange, event streams included. */
  readonly streamMs: number;
  /** Reading on after an answer that came before the end of the upload. */
  readonly lingerMs: number;
}

export const DEFAULT_TIMEOUTS: RelayTimeouts = {
  connectMs: 10_000,
  uploadIdleMs: 60_000,
  uploadGraceMs: 5_000,
  answerMs: 600_000,
  streamMs: 3_600_000,
  lingerMs: 5_000,
};

/** How often the limits are looked at: often enough for the shortest, at most once a second. */
export function checkInterval(timeouts: RelayTimeouts): number {
  const shortest = Math.min(timeouts.uploadIdleMs, timeouts.answerMs, timeouts.streamMs);
  return Math.max(10, Math.min(1000, Math.floor(shortest / 4)));
}
