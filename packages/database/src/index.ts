export { DatabasePackageError } from './errors.ts';
export { MigrationEditedError, MigrationFailedError, MigrationFileError } from './migrations/errors.ts';
export { migrate } from './migrations/migrate.ts';
export type { MigrateOptions } from './migrations/migrate.ts';
