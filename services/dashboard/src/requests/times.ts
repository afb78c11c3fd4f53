import { InputInvalidError } from '../errors.ts';

/**
 * A checked RFC 3339 parameter as epoch milliseconds.
 *
 * @throws {InputInvalidError} for a time that does not exist, such as second 60
 */
function parseTime(field: string, text: string): number {
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new InputInvalidError([
    { field, message: 'is not a time', fix: 'use an RFC 3339 time such as 2026-11-23T18:40:00Z' },
  ]);
}

/**
 * Bounds of a window.
 *
 * @throws {InputInvalidError} when it ends before it starts
 */
export function parseWindow(query: { from?: string; to?: string }): { from?: number; to?: number } {
  const from = query.from === undefined ? undefined : parseTime('from', query.from);
  const to = query.to === undefined ? undefined : parseTime('to', query.to);
  if (from !== undefined && to !== undefined && from > to) {
    throw new InputInvalidError([
      { field: 'to', message: 'is before from', fix: 'use a later time, or an earlier from' },
    ]);
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}
