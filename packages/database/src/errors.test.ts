import { expect, it } from 'vitest';

import {
  DataDirDamagedError,
  DataDirInUseError,
  DataDirUnwritableError,
  DataDirVersionError,
  EmbeddedPostgresError,
} from './embedded/errors.ts';
import { DatabaseUnreachableError } from './connection/wait-for-database.ts';
import { DatabasePackageError } from './errors.ts';
import { InvalidRowError, MissingNodeError } from './ingest/errors.ts';
import { MigrationEditedError, MigrationFailedError, MigrationFileError } from './migrations/errors.ts';
import { InvalidQueryError } from './request/errors.ts';
import { SchemaMissingError } from './schema/errors.ts';

const cause = Object.assign(new Error('why'), { code: 'EACCES' });

it.each([
  [new DataDirInUseError('/d', 7), 'NEXUS_DATA_DIR_IN_USE', '/d is in use by process 7'],
  [new DataDirUnwritableError('/d', cause), 'NEXUS_DATA_DIR_UNWRITABLE', '/d cannot be written (EACCES)'],
  [
    new DataDirVersionError({ dataDir: '/d', found: '17', supported: '18' }),
    'NEXUS_DATA_DIR_VERSION',
    '/d holds a PostgreSQL 17 database',
  ],
  [new DataDirDamagedError('gone'), 'NEXUS_DATA_DIR_DAMAGED', 'gone'],
  [new DatabaseUnreachableError('away'), 'NEXUS_DATABASE_UNREACHABLE', 'away'],
  [new EmbeddedPostgresError('no start'), 'NEXUS_EMBEDDED_POSTGRES', 'no start'],
  [new InvalidRowError('id', 'a UUID'), 'NEXUS_INVALID_ROW', 'id must be a UUID'],
  [
    new MissingNodeError('leaf', ['aa', 'bb'], cause),
    'NEXUS_MISSING_NODE',
    'a leaf that is not stored (aa, bb)',
  ],
  [new MigrationEditedError('0001_a.sql'), 'NEXUS_MIGRATION_EDITED', 'migration 0001_a.sql was edited'],
  [
    new MigrationFailedError('0001_a.sql', cause),
    'NEXUS_MIGRATION_FAILED',
    'migration 0001_a.sql failed: why',
  ],
  [new MigrationFileError('bad name'), 'NEXUS_MIGRATION_FILE', 'bad name'],
  [new InvalidQueryError('limit', 'an integer'), 'NEXUS_INVALID_QUERY', 'limit must be an integer'],
  [new SchemaMissingError(), 'NEXUS_SCHEMA_MISSING', 'npm run db:migrate'],
])('%s has the code %s', (error, code, message) => {
  expect(error).toBeInstanceOf(DatabasePackageError);
  expect(error.code).toBe(code);
  expect(error.name).toBe(error.constructor.name);
  expect(error.message).toContain(message);
});
