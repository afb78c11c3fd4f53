import { InvalidRowError } from './errors.ts';

const INT4_MAX = 2_147_483_647;
const DECIMAL = /^\d{1,20}(?:\.\d{1,20})?$/v;

/**
 * Makes a text PostgreSQL accepts: no NUL, no lone surrogates, and no longer than `maxLength` UTF-16 units
 * (index entries are limited, and an attacker chooses many of these). Recorded text must never fail a batch.
 *
 * @returns undefined for undefined
 */
export function cleanText(value: string | undefined, maxLength: number): string | undefined {
  if (value === undefined) return undefined;
  const text = value.length > maxLength ? value.slice(0, maxLength) : value;
  return text.replaceAll('\0', '\u{fffd}').toWellFormed();
}

/** A count or duration as PostgreSQL's integer: rounded and clamped; anything but a number becomes undefined. */
export function cleanCount(value: number | undefined, max: number = INT4_MAX): number | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  return Math.min(Math.max(Math.round(value), 0), max);
}

/** A decimal string; anything else becomes undefined. */
export function cleanDecimal(value: string | undefined): string | undefined {
  return value !== undefined && DECIMAL.test(value) ? value : undefined;
}

/** Any JSON value with all its texts and member names cleaned; jsonb refuses what `cleanText` replaces. */
export function cleanJson(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null';
  if (!/\\u(?:0000|[dD][89a-fA-F])/v.test(text)) return value;
  return JSON.parse(text, (_key, member: unknown) => cleanMember(member)) as unknown;
}

function cleanMember(member: unknown): unknown {
  if (typeof member === 'string') return cleanText(member, member.length);
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
  return Object.fromEntries(
    Object.entries(member).map(([name, item]) => [cleanText(name, name.length), item]),
  );
}

/** A hash of exactly `length` bytes as PostgreSQL's bytea text. @throws InvalidRowError */
export function hashText(value: Buffer | undefined, length: number, field: string): string | undefined {
  if (value === undefined) return undefined;
  return `\\x${checkedHash(value, length, field).toString('hex')}`;
}

/** @returns `value` if it has exactly `length` bytes. @throws InvalidRowError */
export function checkedHash(value: Buffer, length: number, field: string): Buffer {
  if (value.length !== length) throw new InvalidRowError(field, `${length} bytes, not ${value.length}`);
  return value;
}

/** @returns `value` if it is an integer PostgreSQL's `integer` holds. @throws InvalidRowError */
export function checkedInteger(value: number, field: string): number {
  if (Number.isInteger(value) && Math.abs(value) <= INT4_MAX) return value;
  throw new InvalidRowError(field, `an integer of 32 bits, not ${value}`);
}
