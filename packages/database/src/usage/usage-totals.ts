/** Sums over a set of requests. Tokens as billed: input excludes what was read from or written to the cache. */
export interface UsageTotals {
  readonly requests: number;
  /** Requests with usage whose price is unknown: `costUsd` is short by these. */
  readonly unpricedRequests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  readonly webSearchRequests: number;
  /** Decimal string. */
  readonly costUsd: string;
}

/** The same as it comes from the database. */
export interface TotalsRow {
  readonly requests: number;
  readonly unpriced_requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_5m_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly web_search_requests: number;
  readonly cost_usd: string;
}

/** Select list of a `TotalsRow` over rows of nexus.usage_rollup named `u`. */
export const TOTALS_SQL = `
  coalesce(sum(u.requests), 0)::bigint as requests,
  coalesce(sum(u.unpriced_requests), 0)::bigint as unpriced_requests,
  coalesce(sum(u.input_tokens), 0)::bigint as input_tokens,
  coalesce(sum(u.output_tokens), 0)::bigint as output_tokens,
  coalesce(sum(u.cache_read_tokens), 0)::bigint as cache_read_tokens,
  coalesce(sum(u.cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
  coalesce(sum(u.cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens,
  coalesce(sum(u.web_search_requests), 0)::bigint as web_search_requests,
  coalesce(sum(u.cost_usd), 0)::numeric as cost_usd`;

const NOTHING: TotalsRow = {
  requests: 0,
  unpriced_requests: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_5m_tokens: 0,
  cache_write_1h_tokens: 0,
  web_search_requests: 0,
  cost_usd: '0',
};

/** @returns zeros for no row */
export function toUsageTotals(row: TotalsRow = NOTHING): UsageTotals {
  return {
    requests: row.requests,
    unpricedRequests: row.unpriced_requests,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWrite5mTokens: row.cache_write_5m_tokens,
    cacheWrite1hTokens: row.cache_write_1h_tokens,
    webSearchRequests: row.web_search_requests,
    costUsd: row.cost_usd,
  };
}
