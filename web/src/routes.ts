/** Where the application is; addresses are relative to the document's base. */
export type Route =
  | { page: 'requests'; search: string }
  | { page: 'request'; id: string }
  | { page: 'not-found' };

/** The route of an address, given the base the application is served under. */
export function routeOf(address: string, base: string): Route {
  const url = new URL(address, base);
  const root = new URL('.', base).pathname;
  const path = url.pathname.startsWith(root) ? url.pathname.slice(root.length) : url.pathname;
  if (path === '' || path === 'requests') return { page: 'requests', search: url.search };
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
