import { InvalidQueryError } from '../request/errors.ts';

/** A position of the change feed: transaction id and sequence number, as decimal strings. */
export interface ChangePosition {
  readonly xid: string;
  readonly seq: string;
}

const CURSOR = /^(\d{1,19})-(\d{1,18})$/v;

/** @returns the text form, `<xid>-<seq>` */
export function formatChangeCursor(position: ChangePosition): string {
  return `${position.xid}-${position.seq}`;
}

/** @returns whether a text is a position of the change feed */
export function isChangeCursor(text: string): boolean {
  return CURSOR.test(text);
}

/** @throws InvalidQueryError for a text that is no position */
export function parseChangeCursor(text: string): ChangePosition {
  const [, xid, seq] = CURSOR.exec(text) ?? [];
  if (xid === undefined || seq === undefined) throw new InvalidQueryError('cursor', 'a position like 1234-5');
  return { xid, seq };
}

/** Negative, zero or positive as `a` is before, at or after `b`. @throws InvalidQueryError */
export function compareChangeCursors(a: string, b: string): number {
  const [left, right] = [parseChangeCursor(a), parseChangeCursor(b)];
  const order = BigInt(left.xid) - BigInt(right.xid) || BigInt(left.seq) - BigInt(right.seq);
  return order < 0n ? -1 : Number(order > 0n);
}
