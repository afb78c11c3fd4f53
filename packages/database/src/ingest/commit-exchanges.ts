import { DatabaseError } from 'pg';

import type { Queryable } from '../connection/queryable.ts';
import type { CommitBatch } from '../rows.ts';
import { encodeBatch } from './encode-batch.ts';
import { MissingNodeError } from './errors.ts';

/** SQLSTATE of `nexus.raise_missing`. */
const MISSING = 'NX001';

/**
 * Writes one batch: frames, pieces, nodes and requests; rollups, change feed and doorbell follow. A single
 * statement, so outside a transaction it is one of its own; inside one, call it once. Idempotent: what was
 * written before changes nothing.
 *
 * @returns whether all frames were new; of those that were not, what is stored is what was sent first
 * @throws InvalidRowError before anything is sent, when a row cannot be stored
 * @throws MissingNodeError when a row refers to a node, piece or frame that is not stored
 * @throws pg's DatabaseError or a socket error otherwise
 */
export async function commitExchanges(client: Queryable, batch: CommitBatch): Promise<boolean> {
  const values = encodeBatch(batch);
  try {
    const answer = await client.query<{ isNew: boolean }>({
      name: 'nexus-commit-exchanges',
      text: `select nexus.commit_exchanges(
        $1::json, $2::json, $3::json, $4::json, $5::bytea, $6::text, $7::jsonb) as "isNew"`,
      values,
    });
    return answer.rows[0]?.isNew === true;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== MISSING) throw error;
    const what = error.message.replace('missing ', '');
    throw new MissingNodeError(what, error.detail?.split(',') ?? [], error);
  }
}
