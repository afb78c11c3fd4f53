export { openPool } from './connection/open-pool.ts';
export type { PoolOptions, ServiceRole } from './connection/open-pool.ts';
export type { Queryable } from './connection/queryable.ts';
export { DatabasePackageError } from './errors.ts';
export { commitExchanges } from './ingest/commit-exchanges.ts';
export { ensurePartitions } from './ingest/ensure-partitions.ts';
export { InvalidRowError, MissingNodeError } from './ingest/errors.ts';
export { putPieces } from './ingest/put-pieces.ts';
export { ensureLogin } from './logins/ensure-login.ts';
export type { LoginOptions } from './logins/ensure-login.ts';
export { MigrationEditedError, MigrationFailedError, MigrationFileError } from './migrations/errors.ts';
export { migrate } from './migrations/migrate.ts';
export type { MigrateOptions } from './migrations/migrate.ts';
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
export { tokenTotals } from './usage/token-totals.ts';
export type { UsageScope } from './usage/token-totals.ts';
export type { UsageTotals } from './usage/usage-totals.ts';
