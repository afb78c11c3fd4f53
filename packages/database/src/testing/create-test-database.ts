import {
  LOGINS,
  SERVER_VARIABLE,
  TEMPLATE,
  startTestServer,
  uniqueName,
  urlFor,
  withClient,
} from './test-server.ts';
import type { TestServer } from './test-server.ts';

/** A migrated database of its own, with one login per group role. */
export interface TestDatabase {
  /** Superuser: what a person with a single URL has. */
  readonly superuserUrl: string;
  /** Member of nexus_owner. */
  readonly ownerUrl: string;
  /** Member of nexus_writer: the proxy's login. */
  readonly writerUrl: string;
  /** Member of nexus_reader: the dashboard's login. */
  readonly readerUrl: string;
  /** Disconnects everybody and removes the database (and the server, if it was started for this one). */
  drop(): Promise<void>;
}

let ownServer: Promise<TestServer> | undefined;
let users = 0;

/** The shared server of the test run, or, outside of one, a server of this process. */
async function serverUrl(): Promise<string> {
  const shared = process.env[SERVER_VARIABLE];
  if (shared !== undefined && shared !== '') return shared;
  ownServer ??= startTestServer();
  return (await ownServer).url;
}

/**
 * Creates a database from the migrated template. Needs no set-up: without a shared server it starts its
 * own, which ends when the last database is dropped.
 *
 * @param options.migrated false gives an empty database without the schema
 */
export async function createTestDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  users += 1;
  const server = await serverUrl();
  const database = uniqueName();
  const template = options.migrated === false ? 'template0' : TEMPLATE;
  await withClient(server, async (client) => {
    await client.query(`create database ${database} template ${template}`);
    // Rights on a database are not copied from its template; a migration sets these.
    if (options.migrated !== false)
      await client.query(`revoke temporary on database ${database} from public`);
  });
  const login = (user: string): string => urlFor(server, { database, user });
  return {
    superuserUrl: urlFor(server, { database }),
    ownerUrl: login(LOGINS.owner),
    writerUrl: login(LOGINS.writer),
    readerUrl: login(LOGINS.reader),
    drop: async () => {
      await withClient(server, async (client) => {
        await client.query(`drop database if exists ${database} with (force)`);
      });
      users -= 1;
      if (users > 0 || ownServer === undefined) return;
      const ending = ownServer;
      ownServer = undefined;
      await (await ending).stop();
    },
  };
}
