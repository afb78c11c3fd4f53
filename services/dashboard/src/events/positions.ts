/** A position of the change feed: transaction and sequence number, `<xid>.<sequence>`. */
const POSITION = /^(\d{1,20})\.(\d{1,20})$/;

/** True for a text that can be a position. */
export function isPosition(text: string): boolean {
  return POSITION.test(text);
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function comparePositions(a: string, b: string): number {
  const [xidA, sequenceA] = parts(a);
  const [xidB, sequenceB] = parts(b);
  if (xidA !== xidB) return xidA < xidB ? -1 : 1;
  return sequenceA === sequenceB ? 0 : sequenceA < sequenceB ? -1 : 1;
}

function parts(position: string): [bigint, bigint] {
  const [, xid = '0', sequence = '0'] = POSITION.exec(position) ?? [];
  return [BigInt(xid), BigInt(sequence)];
}
