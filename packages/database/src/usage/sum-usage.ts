import type { Queryable } from '../connection/queryable.ts';
import type { TotalsRow, UsageTotals } from './usage-totals.ts';
import { TOTALS_SQL, toUsageTotals } from './usage-totals.ts';
import type { UsageWindow } from './usage-window.ts';
import { WINDOW_SQL, windowParameters } from './usage-window.ts';

/** Exactly one: sums over a window; zeros when there is nothing. */
export async function sumUsage(client: Queryable, window: UsageWindow): Promise<UsageTotals> {
  const found = await client.query<TotalsRow>(
    `select ${TOTALS_SQL} from (${WINDOW_SQL}) u`,
    windowParameters(window),
  );
  return toUsageTotals(found.rows[0]);
}
