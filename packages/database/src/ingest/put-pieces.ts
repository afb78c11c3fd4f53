import type { Queryable } from '../connection/queryable.ts';
import { checkedHash, checkedInteger } from './clean-values.ts';

/**
 * Asks which pieces of a week have to be sent.
 *
 * @returns those of `hashes` (16 bytes each) that are not stored, in any order
 * @throws InvalidRowError
 */
export async function putPieces(
  client: Queryable,
  question: { week: number; hashes: readonly Buffer[] },
): Promise<Buffer[]> {
  if (question.hashes.length === 0) return [];
  const hashes = Buffer.concat(question.hashes.map((hash) => checkedHash(hash, 16, 'hashes')));
  const missing = await client.query<{ hash: Buffer }>({
    name: 'nexus-put-pieces',
    text: 'select hash from nexus.put_pieces($1::integer, $2::bytea) as hash',
    values: [checkedInteger(question.week, 'week'), hashes],
  });
  return missing.rows.map((row) => row.hash);
}
