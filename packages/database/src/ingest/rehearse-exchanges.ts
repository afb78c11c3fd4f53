import type { Pool } from 'pg';

import type { CommitBatch } from '../rows.ts';
import { commitExchanges } from './commit-exchanges.ts';

/**
 * Writes one batch as `commitExchanges` does and takes it back: tells whether the database would take it now.
 *
 * @throws what `commitExchanges` throws
 */
export async function rehearseExchanges(pool: Pool, batch: CommitBatch): Promise<void> {
  const client = await pool.connect();
  let passed = false;
  try {
    await client.query('begin');
    await commitExchanges(client, batch);
    await client.query('rollback');
    passed = true;
  } finally {
    // A connection whose transaction failed is closed, which takes everything back.
    client.release(!passed);
  }
}
