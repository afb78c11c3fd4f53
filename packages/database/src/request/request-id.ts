import { uuidTime } from '@claude-nexus/domain';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/v;

/** @returns whether a text is a UUID in lower case */
export function isRequestId(text: string): boolean {
  return UUID.test(text);
}

/** Latest instant JavaScript can name; 48 bits of milliseconds go further. */
const LAST_INSTANT = 8.64e15;

/** @returns the instant in a UUIDv7, epoch milliseconds */
export function idTime(id: string): number {
  return Math.min(uuidTime(id), LAST_INSTANT);
}

/** First id of an instant in epoch milliseconds: ids of that instant and later are not below it. */
export function firstIdAt(ms: number): string {
  const time = Math.min(Math.max(Math.ceil(ms), 0), 2 ** 48 - 1);
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Above every id. */
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
