import type { RequestSummary } from '@claude-nexus/api-contract';
import { matchesFilters } from './filters.ts';
import type { RequestFilters } from './filters.ts';

/** Rows kept when the page is left open and requests keep coming; then the list starts again at its first page. */
export const MAX_LIVE_ROWS = 500;

/**
 * Merges pages and live events into one list, newest first (ids are UUIDv7: their order is the order of time).
 * Later versions of a request replace earlier ones (a page that was read before an event may arrive after it); one that
 * no longer matches the filters leaves the list.
 */
export function mergeRequests(
  shown: readonly RequestSummary[],
  incoming: readonly RequestSummary[],
  filters: RequestFilters,
): RequestSummary[] {
  const byId = new Map(shown.map((request) => [request.id, request]));
  for (const request of incoming) {
    const known = byId.get(request.id);
    if (request.outcome === 'pending' && known !== undefined && known.outcome !== 'pending') continue;
    if (matchesFilters(request, filters)) byId.set(request.id, request);
    else byId.delete(request.id);
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

/**
 * The list after its first page was read again. Of what was shown only rows newer than the whole page stay (they were
 * pushed meanwhile): older ones would hide a gap that nothing fills.
 */
export function restartList(
  shown: readonly RequestSummary[],
  page: readonly RequestSummary[],
  filters: RequestFilters,
): RequestSummary[] {
  const newest = page[0]?.id ?? '';
  const ids = new Set(page.map((request) => request.id));
  const kept = shown.filter((request) => request.id > newest || ids.has(request.id));
  return mergeRequests(kept, page, filters);
}
