import type { Queryable } from '../connection/queryable.ts';
import type { PieceRow } from '../rows.ts';

/** Any number: where the bytes of the given pieces of a week are, in no particular order; missing ones are left out. */
export async function findPieces(
  client: Queryable,
  question: { week: number; hashes: readonly Buffer[] },
): Promise<PieceRow[]> {
  if (question.hashes.length === 0) return [];
  const found = await client.query<PieceRow>({
    name: 'nexus-find-pieces',
    text: `select p.week, p.hash, p.request_id as "requestId", p.part, p."offset", p.length
      from nexus.piece p where p.week = $1::integer and p.hash = any ($2::bytea[])`,
    values: [question.week, question.hashes],
  });
  return found.rows;
}
