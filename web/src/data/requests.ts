import type { RequestDetail, RequestList } from '@claude-nexus/api-contract';
import type { RequestFilters } from '../common/filters.ts';
import { queryOf } from '../common/filters.ts';
import { fetchJson } from './http.ts';

const PAGE_ROWS = 50;
/** A page may come back short when the server's scan budget is used up; this many are read before the user is asked. */
const MAX_SHORT_PAGES = 5;

/** Reads the next rows of the list, newest first, going on over short pages. */
export async function listRequests(
  filters: RequestFilters,
  options: { cursor?: string | null; signal?: AbortSignal } = {},
): Promise<RequestList> {
  const { signal } = options;
  let cursor = options.cursor ?? null;
  const requests: RequestList['requests'] = [];
  for (let page = 0; page < MAX_SHORT_PAGES; page++) {
    const query = new URLSearchParams(queryOf(filters));
    query.set('limit', String(PAGE_ROWS - requests.length));
    if (cursor !== null) query.set('cursor', cursor);
    const answer = await fetchJson<RequestList>(`api/requests?${query}`, signal ? { signal } : {});
    requests.push(...answer.requests);
    cursor = answer.nextCursor;
    if (cursor === null || requests.length >= PAGE_ROWS) break;
  }
  return { requests, nextCursor: cursor };
}

/** Reads one request with its content. */
export async function readRequest(id: string, signal?: AbortSignal): Promise<RequestDetail> {
  return await fetchJson<RequestDetail>(`api/requests/${id}`, signal ? { signal } : {});
}
