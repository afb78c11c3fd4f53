const MAX_CANDIDATES = 8;

/**
 * Every credential a request carries, the values of `authorization: Bearer` first, then those of `x-api-key`.
 * Clients may send both (apiKeyHelper does), so both count.
 *
 * @param rawHeaders flat name, value list as Node gives it
 */
export function inboundCredentials(rawHeaders: readonly string[]): string[] {
  const bearers: string[] = [];
  const keys: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = (rawHeaders[i + 1] ?? '').trim();
    if (name === 'x-api-key' && value !== '') keys.push(value);
    if (name === 'authorization') bearers.push(...bearerToken(value));
  }
  return [...bearers, ...keys].slice(0, MAX_CANDIDATES);
}

function bearerToken(value: string): string[] {
  const token = /^bearer +(\S+)$/i.exec(value)?.[1];
  return token === undefined ? [] : [token];
}
