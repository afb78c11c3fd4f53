import { Client } from 'pg';

/** A login that is to be of no use any more. */
export interface DisableLoginOptions {
  /** A superuser, or a login that may alter roles and end the sessions of others. */
  readonly url: string;
  readonly name: string;
}

/** How long to wait for the end of a session before it is told again. */
const END_TIMEOUT_MS = 5000;
/** A session that logged in just before the login was locked shows up a moment later. */
const MAX_ROUNDS = 5;

/**
 * Locks a login, forgets its password and ends its sessions. A login that does not exist is left alone, so that it can be
 * repeated.
 *
 * @returns how many sessions it ended
 */
export async function disableLogin(options: DisableLoginOptions): Promise<number> {
  const client = new Client({
    connectionString: options.url,
    application_name: 'claude-nexus logins',
    connectionTimeoutMillis: 10_000,
  });
  // The query at hand rejects as well; without a listener a lost connection would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_catalog.pg_roles where rolname = $1::name', [
      options.name,
    ]);
    if (found.rowCount === 0) return 0;
    await client.query(`alter role ${client.escapeIdentifier(options.name)} nologin password null`);
    return await endSessions(client, options.name);
  } finally {
    await client.end();
  }
}

async function endSessions(client: Client, name: string): Promise<number> {
  let ended = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const sessions = await client.query(
      `select pg_catalog.pg_terminate_backend(pid, $2::bigint)
       from pg_catalog.pg_stat_activity where usename = $1::name`,
      [name, END_TIMEOUT_MS],
    );
    if (sessions.rows.length === 0) break;
    ended += sessions.rows.length;
  }
  return ended;
}
