import type { Queryable } from '../connection/queryable.ts';
import { formatChangeCursor, parseChangeCursor } from './change-cursor.ts';

/** A request was added or changed. */
export interface Change {
  readonly cursor: string;
  readonly requestId: string;
}

/** Part of the change feed. */
export interface ChangePage {
  readonly changes: Change[];
  /** Everything up to here has been read. */
  readonly cursor: string;
  /** There was more to read. */
  readonly more: boolean;
}

interface ChangeRow {
  readonly reset: boolean;
  readonly xid: string | null;
  readonly seq: string | null;
  readonly request_id: string | null;
}

/** Exactly one: the end of the change feed. What is committed after this call comes after it. */
export async function currentChangeCursor(client: Queryable): Promise<string> {
  const found = await client.query<{ xid: string }>(
    'select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text as xid',
  );
  return formatChangeCursor({ xid: found.rows[0]?.xid ?? '0', seq: '0' });
}

/**
 * Any number: changes after a position, in order, at most `limit`. Only changes of transactions older than the
 * oldest one still running are given: a transaction that commits late would otherwise be skipped. So a change
 * may show a moment after its doorbell.
 *
 * @returns undefined when the position is older than what the feed keeps, or of another database: changes may
 * have been missed
 * @throws InvalidQueryError for a text that is no position
 */
export async function readChanges(
  client: Queryable,
  after: string,
  limit: number,
): Promise<ChangePage | undefined> {
  const { xid, seq } = parseChangeCursor(after);
  // One statement, so that nothing can be trimmed between the check and the reading.
  const found = await client.query<ChangeRow>({
    name: 'nexus-read-changes',
    text: `select k.reset, c.xid::text as xid, c.seq::text as seq, c.request_id
      from (
        select (t.xid, t.seq) > ($1::text::xid8, $2::bigint)
          or $1::text::xid8 > pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) as reset
        from nexus.change_trim t
      ) k
      left join lateral (
        select c.xid, c.seq, c.request_id from nexus.change c
        where not k.reset and (c.xid, c.seq) > ($1::text::xid8, $2::bigint)
          and c.xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
        order by c.xid, c.seq limit $3::integer
      ) c on true
      order by c.xid, c.seq`,
    values: [xid, seq, limit + 1],
  });
  if (found.rows[0]?.reset === true) return undefined;
  const changes = found.rows.slice(0, limit).flatMap((row) => {
    const { xid, seq, request_id: requestId } = row;
    if (xid === null || seq === null || requestId === null) return [];
    return [{ cursor: formatChangeCursor({ xid, seq }), requestId }];
  });
  return { changes, cursor: changes.at(-1)?.cursor ?? after, more: found.rows.length > limit };
}
