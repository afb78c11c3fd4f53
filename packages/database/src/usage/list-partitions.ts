import { weekStart } from '@claude-nexus/domain';

import type { Queryable } from '../connection/queryable.ts';

/** One partition of a table. */
export interface StoredPartition {
  readonly name: string;
  /** Epoch milliseconds; undefined for the DEFAULT partition. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly bytes: number;
}

/** A table and what it takes on disk, indexes and long values included. */
export interface StoredTable {
  readonly table: string;
  readonly bytes: number;
  /** Empty for a table that is not partitioned. */
  readonly partitions: StoredPartition[];
}

interface TableRow {
  readonly table: string;
  readonly name: string;
  readonly bytes: number;
}

const WEEK = /_w(-?\d+)$/v;

/** Any number: every table of the schema, with its partitions in order of time. */
export async function listPartitions(client: Queryable): Promise<StoredTable[]> {
  const found = await client.query<TableRow>(
    `select coalesce(p.relname, c.relname)::text as "table", c.relname::text as name,
       pg_catalog.pg_total_relation_size(c.oid) as bytes
     from pg_catalog.pg_class c
     left join pg_catalog.pg_inherits i on i.inhrelid = c.oid
     left join pg_catalog.pg_class p on p.oid = i.inhparent
     where c.relnamespace = 'nexus'::regnamespace and c.relkind = 'r'
     order by 1, 2`,
  );
  const tables = new Map<string, TableRow[]>();
  for (const row of found.rows) tables.set(row.table, [...(tables.get(row.table) ?? []), row]);
  return [...tables].map(([table, rows]) => ({
    table,
    bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
    partitions: rows
      .filter((row) => row.name !== table)
      .map(toPartition)
      .toSorted((a, b) => (a.from ?? Infinity) - (b.from ?? Infinity)),
  }));
}

function toPartition({ name, bytes }: TableRow): StoredPartition {
  const week = WEEK.exec(name)?.[1];
  if (week === undefined) return { name, from: undefined, to: undefined, bytes };
  return { name, from: weekStart(Number(week)), to: weekStart(Number(week) + 1), bytes };
}
