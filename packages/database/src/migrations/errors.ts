import { DatabasePackageError } from '../errors.ts';

/** A migration that was applied to this database differs from the file of the same number. */
export class MigrationEditedError extends DatabasePackageError {
  readonly code = 'NEXUS_MIGRATION_EDITED';
  readonly migration: string;

  constructor(migration: string) {
    super(
      `migration ${migration} was edited after it had been applied to this database; restore the file and ` +
        'put the change into a new migration',
    );
    this.migration = migration;
  }
}

/** A migration file is named or headed wrongly. */
export class MigrationFileError extends DatabasePackageError {
  readonly code = 'NEXUS_MIGRATION_FILE';
}

/** The statements of a migration, or what prepares the database for the first, failed; nothing was changed. */
export class MigrationFailedError extends DatabasePackageError {
  readonly code = 'NEXUS_MIGRATION_FAILED';
  readonly migration: string;

  constructor(migration: string, cause: unknown) {
    super(`migration ${migration} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.migration = migration;
  }
}
