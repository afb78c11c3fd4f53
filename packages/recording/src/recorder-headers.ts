/**
 * Header values that may be stored. Of every other header only the name is, because nobody can list the names under
 * which credentials travel.
 */
const KEPT_PREFIXES = [
  'anthropic-',
  'x-claude-code-',
  'x-stainless-',
  'content-',
  'accept',
  'ratelimit',
  'x-ratelimit-',
];
const KEPT_NAMES: ReadonlySet<string> = new Set(['x-app', 'user-agent', 'request-id', 'retry-after']);

/** A digest of settings that an organisation may consider secret. */
const NEVER_KEPT = /checksum/;

/** Names repeat from request to request; the bound keeps a client that invents names from filling memory. */
const MAX_REMEMBERED = 1000;
const remembered = new Map<string, boolean>();

/** More than any client sends; beyond it only names are stored. */
const MAX_VALUE_CHARACTERS = 64 * 1024;

/** True when the value of this header may be stored. Any case. */
export function keepsHeaderValue(name: string): boolean {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const kept =
    (KEPT_NAMES.has(lower) || KEPT_PREFIXES.some((prefix) => lower.startsWith(prefix))) &&
    !NEVER_KEPT.test(lower);
  if (remembered.size < MAX_REMEMBERED) remembered.set(name, kept);
  return kept;
}

/** Flat name, value, ... as received -> the same with null for every value that is not to be stored. */
export function storedHeaders(headers: readonly string[]): (string | null)[] {
  const stored: (string | null)[] = [];
  let characters = 0;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    characters += name.length + value.length;
    if (characters > 2 * MAX_VALUE_CHARACTERS) break;
    stored.push(name, characters <= MAX_VALUE_CHARACTERS && keepsHeaderValue(name) ? value : null);
  }
  return stored;
}
