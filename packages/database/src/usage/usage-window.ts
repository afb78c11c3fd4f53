import { rollupBucket } from '@claude-nexus/domain';

import { firstIdAt } from '../request/request-id.ts';

/** A stretch of time, and one domain unless all are meant. Whole 15-minute buckets count, by their start. */
export interface UsageWindow {
  /** Epoch milliseconds; the bucket it falls into counts whole. */
  readonly from: number;
  /** Epoch milliseconds; buckets that start at or after it do not count. */
  readonly to: number;
  readonly domain?: string | undefined;
}

/**
 * Rows shaped like nexus.usage_rollup: the rollups of a window, and one row for each exchange in it that has not
 * ended and so is in no rollup. The parameters are those of `windowParameters`.
 */
export const WINDOW_SQL = `
  select u.domain, u.account_id, u.model, u.kind, u.outcome, u.requests, u.unpriced_requests, u.input_tokens,
    u.output_tokens, u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens,
    u.web_search_requests, u.cost_usd
  from nexus.usage_rollup u
  where u.bucket >= $1::timestamptz and u.bucket < $2::timestamptz
    and ($3::text is null or u.domain = $3::text) and u.requests > 0
  union all
  select s.domain, coalesce(s.account_id, ''), coalesce(r.model, ''), r.kind, r.outcome, 1, 0, 0, 0, 0, 0, 0, 0, 0
  from nexus.open_request r join nexus.source s on s.id = r.source_id
  where r.id >= $4::uuid and r.id < $5::uuid and ($3::text is null or s.domain = $3::text)`;

/** @returns $1 to $5 */
export function windowParameters(window: UsageWindow): unknown[] {
  const from = rollupBucket(window.from);
  return [new Date(from), new Date(window.to), window.domain ?? null, firstIdAt(from), firstIdAt(window.to)];
}
