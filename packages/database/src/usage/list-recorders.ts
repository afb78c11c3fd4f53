import type { Queryable } from '../connection/queryable.ts';

/** What a recorder, one per proxy, last said of itself. */
export interface RecorderRow {
  readonly recorderId: string;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
  readonly state: Readonly<Record<string, unknown>>;
}

/** Any number: all recorders that ever wrote, the latest first. */
export async function listRecorders(client: Queryable): Promise<RecorderRow[]> {
  const found = await client.query<RecorderRow>(
    `select id as "recorderId", updated_at as "updatedAt", state from nexus.recorder order by updated_at desc, id`,
  );
  return found.rows;
}
