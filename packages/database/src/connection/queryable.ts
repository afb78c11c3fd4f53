import type { QueryConfig, QueryResult, QueryResultRow } from 'pg';

/** What a query needs: a pool, or a client inside somebody's transaction. */
export interface Queryable {
  query<R extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<R>>;
  query<R extends QueryResultRow>(config: QueryConfig): Promise<QueryResult<R>>;
}
