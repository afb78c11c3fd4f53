import type { Queryable } from '../connection/queryable.ts';

/**
 * Makes the partitions of this and the coming weeks, and moves what is waiting for them in the DEFAULT
 * partitions. To be called daily; several processes may.
 */
export async function ensurePartitions(client: Queryable): Promise<void> {
  await client.query('select nexus.ensure_partitions()');
}
