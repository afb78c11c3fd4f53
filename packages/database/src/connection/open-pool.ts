import { Pool } from 'pg';
import type { ClientBase } from 'pg';

import { valueParsers } from './value-parsers.ts';

/** The group roles a service may work as. */
export type ServiceRole = 'nexus_writer' | 'nexus_reader';

/** What a service's pool is made of. */
export interface PoolOptions {
  /** Any login that is a member of `role`; a superuser will do, and still works with the role's rights only. */
  readonly url: string;
  readonly role: ServiceRole;
  /** Most connections at once. */
  readonly max: number;
  readonly applicationName: string;
  /** The server cancels a statement after this time; a connection silent for longer is given up. */
  readonly statementTimeoutMs: number;
  /** Told of connections lost while idle; they are replaced when next needed. */
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
/** After the server should have cancelled a statement: what it says may never arrive, nor does a lost network close. */
const SILENCE_MS = 2000;

/**
 * Restricts a fresh connection to its role, before anybody gets it. By statement rather than by start-up
 * parameter, because connection poolers refuse those.
 */
export async function restrictSession(
  client: ClientBase,
  options: Pick<PoolOptions, 'role' | 'statementTimeoutMs'>,
): Promise<void> {
  const timeout = Math.trunc(options.statementTimeoutMs);
  // A writer takes the server's default: providers make a database read-only to keep its disk from filling up.
  const readOnly = options.role === 'nexus_reader' ? 'set default_transaction_read_only = on;' : '';
  await client.query(
    `set role ${client.escapeIdentifier(options.role)};
     set statement_timeout = ${timeout};
     set idle_in_transaction_session_timeout = ${timeout + 60_000};
     ${readOnly}
     set timezone = 'UTC'`,
  );
}

/**
 * Opens a pool whose connections have no more rights than `role`; a connection that cannot take the role is
 * never handed out. Connects when first used, so it can be opened while the database is down. The URL is in
 * no error and no log of this package. Values arrive as `valueParsers` says.
 */
export function openPool(options: PoolOptions): Pool {
  // Its type says void, but the pool waits for the promise and drops a connection for which it fails.
  const onConnect = (async (client: ClientBase) => restrictSession(client, options)) as (
    client: ClientBase,
  ) => unknown;
  const pool = new Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: Math.trunc(options.statementTimeoutMs) + SILENCE_MS,
    keepAlive: true,
    types: valueParsers,
    onConnect,
  });
  // Without a listener, a connection the server closes while idle would end the process.
  pool.on('error', (error: Error & { client?: unknown }) => {
    // The pool adds the whole connection, with the key that cancels its queries: nothing for a log.
    delete error.client;
    options.onError?.(error);
  });
  return pool;
}
