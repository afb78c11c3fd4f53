import { isIPv4, isIPv6 } from 'node:net';

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME = 253;
const MAX_PORT = 65_535;

/** A team uses a handful of names, and every request asks. Bounded, because the values come from clients. */
const MAX_REMEMBERED = 1000;
const remembered = new Map<string, HostValue>();

export interface HostValue {
  /** Lower-case, without port and without the dot of a fully qualified name; IPv6 in brackets, shortest form. */
  readonly domain: string;
  /** `domain` with the port, as it goes into a URL. */
  readonly authority: string;
}

/**
 * Reads the value of a Host header.
 *
 * @returns undefined unless it is a host name, an IPv4 or a bracketed IPv6 literal, with or without port
 */
export function parseHost(value: string): HostValue | undefined {
  const known = remembered.get(value);
  if (known !== undefined) return known;
  const host = parse(value);
  if (host !== undefined && remembered.size < MAX_REMEMBERED) remembered.set(value, host);
  return host;
}

/**
 * The host of a request.
 *
 * @param rawHeaders flat name, value list as Node gives it
 * @returns undefined when there is no Host header, more than one, or an invalid one
 */
export function hostOf(rawHeaders: readonly string[]): HostValue | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (value !== undefined) return undefined;
    value = rawHeaders[i + 1] ?? '';
  }
  return value === undefined ? undefined : parseHost(value);
}

function parse(value: string): HostValue | undefined {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[^:[\]]{1,254})(?::(\d{1,5}))?$/i.exec(value);
  const name = match?.[1]?.toLowerCase();
  const port = match?.[2];
  if (name === undefined || (port !== undefined && Number(port) > MAX_PORT)) return undefined;
  const domain = name.startsWith('[') ? parseIpv6(name) : parseName(name);
  if (domain === undefined) return undefined;
  return { domain, authority: port === undefined ? domain : `${domain}:${Number(port)}` };
}

/** One address has many spellings; the credential file has one name. */
function parseIpv6(name: string): string | undefined {
  return isIPv6(name.slice(1, -1)) ? URL.parse(`http://${name}`)?.hostname : undefined;
}

function parseName(name: string): string | undefined {
  const unrooted = name.endsWith('.') ? name.slice(0, -1) : name;
  const labels = unrooted.split('.');
  if (unrooted.length > MAX_NAME || !labels.every((label) => LABEL.test(label))) return undefined;
  // A last label of digits only makes it an address (RFC 3696 section 2), which then has to be a valid one.
  const numeric = /^\d+$/.test(labels.at(-1) ?? '');
  return numeric && !isIPv4(unrooted) ? undefined : unrooted;
}
