import type { Queryable } from '../connection/queryable.ts';
import { listPartitions } from './list-partitions.ts';
import type { StoredTable } from './list-partitions.ts';
import { listRecorders } from './list-recorders.ts';
import type { RecorderRow } from './list-recorders.ts';
import type { TotalsRow, UsageTotals } from './usage-totals.ts';
import { TOTALS_SQL, toUsageTotals } from './usage-totals.ts';
import type { UsageWindow } from './usage-window.ts';
import { WINDOW_SQL, windowParameters } from './usage-window.ts';

/** Sums of one model, account, kind or outcome; `key` is undefined for requests that have none. */
export interface UsageGroup {
  readonly key: string | undefined;
  readonly totals: UsageTotals;
}

/** Usage of a window, and what the database holds now. */
export interface StorageStats {
  readonly totals: UsageTotals;
  readonly byModel: UsageGroup[];
  readonly byAccount: UsageGroup[];
  readonly byKind: UsageGroup[];
  readonly byOutcome: UsageGroup[];
  readonly tables: StoredTable[];
  readonly recorders: RecorderRow[];
}

interface GroupRow extends TotalsRow {
  /** Which of the columns are grouped away: see GROUPS. */
  readonly level: number;
  readonly model: string | null;
  readonly account_id: string | null;
  readonly kind: string | null;
  readonly outcome: string | null;
}

/** Values of grouping(model, account_id, kind, outcome): a bit is set for each column that is grouped away. */
const GROUPS = { model: 0b0111, account_id: 0b1011, kind: 0b1101, outcome: 0b1110, all: 0b1111 } as const;

/** Exactly one. Groups come by falling number of requests. */
export async function storageStats(client: Queryable, window: UsageWindow): Promise<StorageStats> {
  // Summed once by all four, then the few combinations by each: grouping sets over all rollups take five times as long.
  const found = await client.query<GroupRow>(
    `select grouping(u.model, u.account_id, u.kind, u.outcome) as level, u.model, u.account_id, u.kind, u.outcome,
       ${TOTALS_SQL}
     from (
       select u.model, u.account_id, u.kind, u.outcome, ${TOTALS_SQL}
       from (${WINDOW_SQL}) u
       group by u.model, u.account_id, u.kind, u.outcome
     ) u
     group by grouping sets ((u.model), (u.account_id), (u.kind), (u.outcome), ())
     order by requests desc, u.model, u.account_id, u.kind, u.outcome`,
    windowParameters(window),
  );
  const groups = (column: Exclude<keyof typeof GROUPS, 'all'>): UsageGroup[] =>
    found.rows
      .filter((row) => row.level === GROUPS[column])
      .map((row) => ({
        key: row[column] === '' ? undefined : (row[column] ?? undefined),
        totals: toUsageTotals(row),
      }));
  return {
    totals: toUsageTotals(found.rows.find((row) => row.level === GROUPS.all)),
    byModel: groups('model'),
    byAccount: groups('account_id'),
    byKind: groups('kind'),
    byOutcome: groups('outcome'),
    tables: await listPartitions(client),
    recorders: await listRecorders(client),
  };
}
