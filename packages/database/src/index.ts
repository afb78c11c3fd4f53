export { compareChangeCursors, isChangeCursor } from './change/change-cursor.ts';
export { listenForChanges } from './change/listen-for-changes.ts';
export type { ChangeListener, ChangeListenerOptions } from './change/listen-for-changes.ts';
export { currentChangeCursor, readChanges } from './change/read-changes.ts';
export type { Change, ChangePage } from './change/read-changes.ts';
export { openPool } from './connection/open-pool.ts';
export type { PoolOptions, ServiceRole } from './connection/open-pool.ts';
export type { Queryable } from './connection/queryable.ts';
export { DatabaseUnreachableError, waitForDatabase } from './connection/wait-for-database.ts';
export { findPieces } from './content/find-pieces.ts';
export { readFrames } from './content/read-frames.ts';
export type { FrameKey } from './content/read-frames.ts';
export { readRecipeChain } from './content/read-recipe-chain.ts';
export { DatabasePackageError } from './errors.ts';
export { commitExchanges } from './ingest/commit-exchanges.ts';
export { ensurePartitions } from './ingest/ensure-partitions.ts';
export { InvalidRowError, MissingNodeError } from './ingest/errors.ts';
export { putPieces } from './ingest/put-pieces.ts';
export { rehearseExchanges } from './ingest/rehearse-exchanges.ts';
export { disableLogin } from './logins/disable-login.ts';
export { ensureLogin } from './logins/ensure-login.ts';
export type { LoginOptions } from './logins/ensure-login.ts';
export { MigrationEditedError, MigrationFailedError, MigrationFileError } from './migrations/errors.ts';
export { migrate } from './migrations/migrate.ts';
export type { MigrateOptions } from './migrations/migrate.ts';
export { InvalidQueryError } from './request/errors.ts';
export { findRequest } from './request/find-request.ts';
export { listRequests } from './request/list-requests.ts';
export type { RequestPage, RequestPageOptions } from './request/list-requests.ts';
export { listSummaries } from './request/list-summaries.ts';
export type { RequestSummaryRow, StoredRequest } from './request/request-columns.ts';
export type { RequestFilter } from './request/request-filter.ts';
export type {
  CommitBatch,
  FrameRow,
  NodeRow,
  Outcome,
  Part,
  PieceRow,
  RequestForm,
  RequestIdentity,
  RequestRow,
  ResponseForm,
} from './rows.ts';
export { SchemaMissingError } from './schema/errors.ts';
export { SCHEMA_VERSION, schemaFit, schemaVersion } from './schema/schema-version.ts';
export type { SchemaVersion } from './schema/schema-version.ts';
export type { StoredPartition, StoredTable } from './usage/list-partitions.ts';
export type { RecorderRow } from './usage/list-recorders.ts';
export { storageStats } from './usage/storage-stats.ts';
export type { StorageStats, UsageGroup } from './usage/storage-stats.ts';
export { sumUsage } from './usage/sum-usage.ts';
export { tokenTotals } from './usage/token-totals.ts';
export type { UsageScope } from './usage/token-totals.ts';
export type { UsageTotals } from './usage/usage-totals.ts';
export type { UsageWindow } from './usage/usage-window.ts';
