import type { Queryable } from '../connection/queryable.ts';
import { SUMMARY_COLUMNS, withoutNulls } from './request-columns.ts';
import type { NullableMembers, RequestSummaryRow } from './request-columns.ts';
import { isRequestId } from './request-id.ts';

/** Any number: those of the exchanges that are stored, in no particular order. */
export async function listSummaries(client: Queryable, ids: readonly string[]): Promise<RequestSummaryRow[]> {
  const asked = [...new Set(ids)].filter(isRequestId).toSorted();
  if (asked.length === 0) return [];
  const found = await client.query<NullableMembers<RequestSummaryRow>>({
    name: 'nexus-list-summaries',
    // The bounds prune partitions, which an array cannot.
    text: `select ${SUMMARY_COLUMNS}
      from (
        select * from nexus.request where id = any ($1::uuid[]) and id between $2::uuid and $3::uuid
        union all
        select * from nexus.open_request where id = any ($1::uuid[])
      ) r
      join nexus.source s on s.id = r.source_id`,
    values: [asked, asked[0], asked.at(-1)],
  });
  return found.rows.map((row) => withoutNulls<RequestSummaryRow>(row));
}
