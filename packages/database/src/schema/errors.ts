import { DatabasePackageError } from '../errors.ts';

/** The database holds no schema of ours: it has never been migrated. */
export class SchemaMissingError extends DatabasePackageError {
  readonly code = 'NEXUS_SCHEMA_MISSING';

  constructor(cause?: unknown) {
    super('the database has no schema yet; run npm run db:migrate', { cause });
  }
}
