import { InputInvalidError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const VERSION = 1;
const BYTES = 17;

/** An opaque cursor that goes on before this id. */
export function encodeCursor(before: string): string {
  const id = Buffer.from(before.replaceAll('-', ''), 'hex');
  return Buffer.concat([Buffer.of(VERSION), id]).toString('base64url');
}

/**
 * The id a cursor stands for.
 *
 * @throws {InputInvalidError} for a text no list handed out
 */
export function decodeCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const hex = bytes.subarray(1).toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  // Encoded again, so that spellings a lenient decoder lets pass are refused.
  if (bytes.length === BYTES && bytes[0] === VERSION && UUID.test(id) && encodeCursor(id) === cursor)
    return id;
  throw new InputInvalidError([
    {
      field: 'cursor',
      message: 'is not a cursor of this list',
      fix: 'pass nextCursor unchanged, or leave it out',
    },
  ]);
}
