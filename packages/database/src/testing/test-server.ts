import { createHmac, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Client } from 'pg';

import { startEmbedded } from '../embedded/start-embedded.ts';
import { migrate } from '../migrations/migrate.ts';

/** Set by the global set-up: the superuser URL of the server all test processes of a run share. */
export const SERVER_VARIABLE = 'NEXUS_TEST_SERVER_URL';
export const TEMPLATE = 'nexus_template';

/** The logins of every test database; their passwords follow from the superuser's. */
export const LOGINS = {
  owner: 'nexus_test_owner',
  writer: 'nexus_test_writer',
  reader: 'nexus_test_reader',
} as const;

/** A server for tests: no crash safety, a data directory of its own that goes with it. */
export interface TestServer {
  /** Superuser URL of the maintenance database. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server with the template database migrated once. */
export function startTestServer(): Promise<TestServer> {
  return startPreparedServer(makeTemplate);
}

/** Starts a server. @param prepare what is done before it is handed out; gets the superuser URL of the maintenance database */
export async function startPreparedServer(prepare: (url: string) => Promise<void>): Promise<TestServer> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'claude-nexus-test-'));
  // The server may run as another user; then its cluster would have to be somewhere else.
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({ dataDir, durable: false });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = urlFor(server.url, { database: 'postgres' });
    await prepare(url);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns `base` with another database or login. */
export function urlFor(base: string, change: { database?: string; user?: string }): string {
  const url = new URL(base);
  if (change.database !== undefined) url.pathname = `/${change.database}`;
  if (change.user !== undefined) {
    url.password = createHmac('sha256', decodeURIComponent(url.password)).update(change.user).digest('hex');
    url.username = change.user;
  }
  return url.href;
}

/** Runs one piece of work on a connection of its own. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // The query at hand rejects as well; a server that ends later is the test's own doing.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function makeTemplate(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`create database ${TEMPLATE}`);
  });
  await migrate({ url: urlFor(url, { database: TEMPLATE }) });
  await withClient(url, async (client) => {
    for (const [kind, login] of Object.entries(LOGINS)) {
      const password = client.escapeLiteral(new URL(urlFor(url, { user: login })).password);
      await client.query(`create role ${login} login password ${password} in role nexus_${kind}`);
    }
  });
}

/** @returns a database name no other test uses. */
export const uniqueName = (): string => `nexus_test_${randomBytes(8).toString('hex')}`;
