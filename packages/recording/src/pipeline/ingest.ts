import type { CommitBatch } from '@claude-nexus/database';
import {
  commitExchanges,
  ensurePartitions,
  openPool,
  putPieces,
  rehearseExchanges,
  schemaFit,
  schemaVersion,
} from '@claude-nexus/database';
import { NexusError } from '@claude-nexus/runtime';

/** The database as the shipper needs it. */
export interface IngestPort {
  /** Which of these pieces of a week are not stored. */
  missingPieces(week: number, hashes: Buffer[]): Promise<Buffer[]>;
  /** Writes a batch in one transaction. Idempotent. Answers whether all its frames were new. */
  commit(batch: Omit<CommitBatch, 'recorder'>): Promise<boolean>;
  /** Writes a batch and takes it back: rejects as `commit` would. */
  rehearse(batch: Omit<CommitBatch, 'recorder'>): Promise<void>;
  /** Whether the database answers a trivial question now; never rejects. */
  answers(): Promise<boolean>;
  close(): Promise<void>;
}

/** The schema and this recorder do not fit; somebody has to act, nothing in a batch is wrong. */
class SchemaUnfitError extends NexusError {
  readonly code = 'NEXUS_SCHEMA_UNFIT';
}

const SCHEMA_ADVICE = {
  'service-too-old': 'the database schema no longer serves this version of the proxy: upgrade the proxy',
  'schema-too-old': 'the database schema is older than this version of the proxy: run npm run db:migrate',
} as const;

const PARTITIONS_EVERY_MS = 24 * 3600 * 1000;

/** Connects the shipper with PostgreSQL as `nexus_writer`. Connects lazily: the database may be down. */
export function openIngest(options: {
  databaseUrl: string;
  recorderId: string;
  now: () => number;
  /** State shown by the dashboard, written with each batch, as it is once that many closed exchanges are shipped. */
  stats: (closing: number) => Record<string, unknown>;
}): IngestPort {
  const pool = openPool({
    url: options.databaseUrl,
    role: 'nexus_writer',
    max: 1,
    applicationName: 'claude-nexus-recorder',
    statementTimeoutMs: 60_000,
  });
  let readyUntil = 0;

  /** Before the first batch and daily: the schema serves this version, the coming partitions exist. */
  async function ensureReady(): Promise<void> {
    if (options.now() < readyUntil) return;
    const fit = schemaFit(await schemaVersion(pool));
    if (fit !== 'fits') throw new SchemaUnfitError(SCHEMA_ADVICE[fit]);
    await ensurePartitions(pool);
    readyUntil = options.now() + PARTITIONS_EVERY_MS;
  }

  return {
    async missingPieces(week, hashes) {
      await ensureReady();
      return await putPieces(pool, { week, hashes });
    },
    async commit(batch) {
      await ensureReady();
      const closing = batch.requests.filter(({ outcome }) => outcome !== 'pending').length;
      try {
        return await commitExchanges(pool, {
          ...batch,
          recorder: { id: options.recorderId, stats: options.stats(closing) },
        });
      } catch (error) {
        // The next attempt looks at the schema again: it may have been migrated meanwhile.
        readyUntil = 0;
        throw error;
      }
    },
    async rehearse(batch) {
      await ensureReady();
      const recorder = { id: options.recorderId, stats: options.stats(0) };
      await rehearseExchanges(pool, { ...batch, recorder });
    },
    async answers() {
      return await pool.query('select 1').then(
        () => true,
        () => false,
      );
    },
    async close() {
      await pool.end();
    },
  };
}
