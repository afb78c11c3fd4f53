export { DatabasePackageError } from './errors.ts';
export { ensureLogin } from './logins/ensure-login.ts';
export type { LoginOptions } from './logins/ensure-login.ts';
export { MigrationEditedError, MigrationFailedError, MigrationFileError } from './migrations/errors.ts';
export { migrate } from './migrations/migrate.ts';
export type { MigrateOptions } from './migrations/migrate.ts';
