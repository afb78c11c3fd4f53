import { isIPv6 } from 'node:net';

const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const PORT = /^:\d{1,5}$/;
const REMEMBERED = 1000;
const known = new Map<string, string>();

/**
 * The domain a `Host` header value names: lower-case, without port and without the dot of a fully qualified name.
 *
 * @returns undefined when the value is not a host name, an IPv4 address or a bracketed IPv6 address
 */
export function parseDomain(host: string): string | undefined {
  const remembered = known.get(host);
  if (remembered !== undefined) return remembered;
  const domain = parse(host.toLowerCase());
  if (domain !== undefined && known.size < REMEMBERED) known.set(host, domain);
  return domain;
}

function parse(host: string): string | undefined {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : portStart(host);
  const name = host.slice(0, end);
  const port = host.slice(end);
  if (port !== '' && !PORT.test(port)) return undefined;
  if (name.startsWith('[')) return isIPv6(name.slice(1, -1)) && !name.includes('%') ? name : undefined;
  const unrooted = name.endsWith('.') ? name.slice(0, -1) : name;
  return unrooted.length <= 253 && HOST_NAME.test(unrooted) ? unrooted : undefined;
}

function portStart(host: string): number {
  const colon = host.indexOf(':');
  return colon === -1 ? host.length : colon;
}
