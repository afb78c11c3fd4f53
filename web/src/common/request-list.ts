import type { RequestSummary } from '@claude-nexus/api-contract';
import { matchesFilters } from './filters.ts';
import type { RequestFilters } from './filters.ts';

/** Rows kept when the page is left open and requests keep coming; older ones are behind "Load older". */
export const MAX_LIVE_ROWS = 500;

/**
 * Merges pages and live events into one list, newest first (ids are UUIDv7: their order is the order of time).
 * Later versions of a request replace earlier ones; one that no longer matches the filters leaves the list.
 */
export function mergeRequests(
  shown: readonly RequestSummary[],
  incoming: readonly RequestSummary[],
  filters: RequestFilters,
): RequestSummary[] {
  const byId = new Map(shown.map((request) => [request.id, request]));
  for (const request of incoming) {
    if (matchesFilters(request, filters)) byId.set(request.id, request);
    else byId.delete(request.id);
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1));
}
