import { randomBytes } from 'node:crypto';

import { Client } from 'pg';

import { scramVerifier } from './scram-verifier.ts';

/** A login and the group role whose rights it gets. */
export interface LoginOptions {
  /** A login that may create roles; the URL's database must have been migrated. */
  readonly url: string;
  readonly name: string;
  /** Characters of ASCII. */
  readonly password: string;
  readonly group: 'nexus_writer' | 'nexus_reader';
}

const SALT_BYTES = 16;

/** Creates a service's login, or sets its password, and makes it a member of its group. */
export async function ensureLogin(options: LoginOptions): Promise<void> {
  const client = new Client({ connectionString: options.url });
  await client.connect();
  try {
    const name = client.escapeIdentifier(options.name);
    const found = await client.query('select 1 from pg_catalog.pg_roles where rolname = $1::name', [
      options.name,
    ]);
    if (found.rowCount === 0) await client.query(`create role ${name} login`);
    // PostgreSQL takes no parameters here, and a server may log statements: it gets what it stores, not the password.
    const verifier = scramVerifier(options.password, randomBytes(SALT_BYTES));
    await client.query(`alter role ${name} login password ${client.escapeLiteral(verifier)}`);
    await client.query(`grant ${client.escapeIdentifier(options.group)} to ${name}`);
  } finally {
    await client.end();
  }
}
