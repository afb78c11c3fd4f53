/** Where the application is; addresses are relative to the document's base. */
export type Route =
  | { page: 'requests'; search: string }
  | { page: 'request'; id: string }
  | { page: 'connect' }
  | { page: 'not-found' };

/** The route of an address, given the base the application is served under. */
export function routeOf(address: string, base: string): Route {
  const url = new URL(address, base);
  const root = new URL('.', base);
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return { page: 'not-found' };
  const path = url.pathname.slice(root.pathname.length);
  if (path === '' || path === 'requests') return { page: 'requests', search: url.search };
  if (path === 'connect') return { page: 'connect' };
  const id = /^requests\/([0-9a-f-]{36})$/.exec(path)?.[1];
  return id === undefined ? { page: 'not-found' } : { page: 'request', id };
}

/** Address of the list with this query string. */
export function requestsHref(query = ''): string {
  return `requests${query}`;
}

/** Address of one request. */
export function requestHref(id: string): string {
  return `requests/${id}`;
}

/** Address of the page about connecting. */
export function connectHref(): string {
  return 'connect';
}
