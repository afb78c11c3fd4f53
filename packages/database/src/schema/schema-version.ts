import { DatabaseError } from 'pg';

import type { Queryable } from '../connection/queryable.ts';
import { SchemaMissingError } from './errors.ts';

/** Which schema a database has. */
export interface SchemaVersion {
  /** Number of the last migration applied. */
  readonly version: number;
  /** Services built for an older schema than this one are no longer served. */
  readonly minimumService: number;
}

/** The schema this code was written for: the number of its last migration. */
export const SCHEMA_VERSION = 5;

const INVALID_SCHEMA_NAME = '3F000';
const UNDEFINED_TABLE = '42P01';

/**
 * Exactly one row, or an error. The writer may only call functions and the reader only read tables, so each
 * asks in its own way.
 *
 * @throws SchemaMissingError when the database has never been migrated
 */
export async function schemaVersion(client: Queryable): Promise<SchemaVersion> {
  try {
    const rights = await client.query<{ callable: boolean | null }>(
      `select pg_catalog.has_function_privilege(
         pg_catalog.to_regprocedure('nexus.schema_version()')::oid, 'execute') as callable`,
    );
    const found = await client.query<{ version: number | null; minimum_service: number | null }>(
      rights.rows[0]?.callable === true
        ? 'select version, minimum_service from nexus.schema_version()'
        : 'select version, minimum_service from nexus.migration order by version desc limit 1',
    );
    const { version, minimum_service: minimumService } = found.rows[0] ?? {};
    if (typeof version !== 'number' || typeof minimumService !== 'number') throw new SchemaMissingError();
    return { version, minimumService };
  } catch (error) {
    const missing =
      error instanceof DatabaseError &&
      (error.code === INVALID_SCHEMA_NAME || error.code === UNDEFINED_TABLE);
    throw missing ? new SchemaMissingError(error) : error;
  }
}

/**
 * @returns whether code written for `built` can work with this schema: `schema-too-old` means it has to be
 * migrated first, `service-too-old` that the service has to be upgraded
 */
export function schemaFit(
  schema: SchemaVersion,
  built: number = SCHEMA_VERSION,
): 'fits' | 'schema-too-old' | 'service-too-old' {
  if (schema.minimumService > built) return 'service-too-old';
  return schema.version < built ? 'schema-too-old' : 'fits';
}
