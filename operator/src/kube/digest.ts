import { createHash } from 'node:crypto';

/** Digest of a JSON value; the order of fields does not matter. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('base64');
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
