import type { RequestSummary } from '@claude-nexus/api-contract';

/** Filters of the request list that the page offers; members absent or empty do not filter. */
export interface RequestFilters {
  kind?: string;
  outcome?: string;
  status?: string;
  model?: string;
  domain?: string;
  account?: string;
  session?: string;
  agent?: string;
}

const VALUES = {
  kind: (request) => request.kind,
  outcome: (request) => request.outcome,
  status: (request) => request.status?.toString(),
  model: (request) => request.model,
  domain: (request) => request.domain,
  account: (request) => request.accountId,
  session: (request) => request.sessionId,
  agent: (request) => request.agentId,
} satisfies Record<keyof RequestFilters, (request: RequestSummary) => string | null | undefined>;

const NAMES = Object.keys(VALUES) as (keyof RequestFilters)[];

/** Reads filters from the query part of an address; what it does not know is ignored. */
export function filtersFrom(search: string): RequestFilters {
  const query = new URLSearchParams(search);
  const filters: RequestFilters = {};
  for (const name of NAMES) {
    const value = query.get(name)?.trim();
    if (value) filters[name] = value;
  }
  return filters;
}

/** The query string of filters, with `?`, or an empty string. */
export function queryOf(filters: RequestFilters): string {
  const query = new URLSearchParams();
  for (const name of NAMES) {
    const value = filters[name];
    if (value) query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** Whether a request pushed by the server belongs in the filtered list; the same rule as the API's. */
export function matchesFilters(request: RequestSummary, filters: RequestFilters): boolean {
  return NAMES.every((name) => !filters[name] || VALUES[name](request) === filters[name]);
}
