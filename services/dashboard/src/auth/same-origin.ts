/** The request headers that tell where a browser request comes from. */
export interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly 'x-forwarded-host'?: string | string[] | undefined;
}

/**
 * True when a changing request may come from a page of this dashboard or from no browser at all. Browsers set
 * Sec-Fetch-Site, older ones Origin, on every changing request, and pages cannot forge either.
 */
export function sameOrigin(headers: OriginHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (headers.origin === undefined) return true;
  const own = [headers.host, firstOf(headers['x-forwarded-host'])].filter((host) => host !== undefined);
  const sender = URL.parse(headers.origin);
  return sender !== null && own.some((host) => sameHost(sender, host));
}

function sameHost(sender: URL, host: string): boolean {
  // Parsed with the sender's scheme, so that ":443" and no port at all are the same thing.
  return URL.parse(`${sender.protocol}//${host}`)?.host === sender.host;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0]?.trim();
}
