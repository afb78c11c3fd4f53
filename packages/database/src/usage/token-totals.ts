import type { Queryable } from '../connection/queryable.ts';
import type { UsageTotals } from './usage-totals.ts';
import { toUsageTotals } from './usage-totals.ts';
import type { TotalsRow } from './usage-totals.ts';

/** Whose usage: absent members do not restrict. */
export interface UsageScope {
  readonly domain?: string;
  readonly accountId?: string;
}

/** Sums over all time of a scope, exact over all proxies. Exactly one; zeros for an unknown scope. */
export async function tokenTotals(client: Queryable, scope: UsageScope): Promise<UsageTotals> {
  const found = await client.query<TotalsRow>({
    name: 'nexus-token-totals',
    text: 'select * from nexus.token_totals($1::text, $2::text)',
    values: [scope.domain ?? null, scope.accountId ?? null],
  });
  return toUsageTotals(found.rows[0]);
}
