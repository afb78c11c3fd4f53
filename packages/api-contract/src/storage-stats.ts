import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Count, Money, Timestamp, nullable } from './scalars.ts';

/** Sums over a set of requests. */
export const UsageTotals = Type.Object(
  {
    requests: Count,
    inputTokens: Count,
    outputTokens: Count,
    cacheReadTokens: Count,
    cacheWrite5mTokens: Count,
    cacheWrite1hTokens: Count,
    webSearchRequests: Count,
    costUsd: Money,
    unpricedRequests: Type.Integer({
      minimum: 0,
      description: 'requests with usage whose price is unknown; costUsd is short by these',
    }),
  },
  { title: 'UsageTotals' },
);
export type UsageTotals = Static<typeof UsageTotals>;

/** Totals of one model, account, kind or outcome; `key` is null for requests that have none. */
export const UsageGroup = Type.Object(
  { key: nullable(Type.String()), totals: UsageTotals },
  { title: 'UsageGroup' },
);
export type UsageGroup = Static<typeof UsageGroup>;

/** One partition of a partitioned table. */
export const Partition = Type.Object(
  {
    table: Type.String(),
    name: Type.String(),
    from: nullable(Timestamp),
    to: nullable(Timestamp),
    bytes: Count,
  },
  { title: 'Partition' },
);
export type Partition = Static<typeof Partition>;

/** Last state a recorder (one per proxy) wrote with its batches. `state` holds its counters by name. */
export const RecorderState = Type.Object(
  {
    recorderId: Type.String(),
    updatedAt: Timestamp,
    state: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'RecorderState' },
);
export type RecorderState = Static<typeof RecorderState>;

/** Answer of `/api/storage-stats`. Totals cover whole 15-minute buckets from `from` until before `to`. */
export const StorageStats = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    domain: nullable(Type.String()),
    totals: UsageTotals,
    byModel: Type.Array(UsageGroup),
    byAccount: Type.Array(UsageGroup),
    byKind: Type.Array(UsageGroup),
    byOutcome: Type.Array(UsageGroup),
    storedBytes: Type.Object({
      total: Count,
      tables: Type.Array(Type.Object({ table: Type.String(), bytes: Count })),
    }),
    partitions: Type.Array(Partition),
    recorders: Type.Array(RecorderState),
  },
  { title: 'StorageStats' },
);
export type StorageStats = Static<typeof StorageStats>;

/** Parameters of `/api/storage-stats`; without them the last 24 hours of everything. */
export const StorageStatsQuery = Type.Object(
  {
    from: Type.Optional(Type.String({ format: 'date-time' })),
    to: Type.Optional(Type.String({ format: 'date-time' })),
    domain: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\u0000-\\u001f\\u007f]*$' }),
    ),
  },
  { additionalProperties: false },
);
export type StorageStatsQuery = Static<typeof StorageStatsQuery>;
