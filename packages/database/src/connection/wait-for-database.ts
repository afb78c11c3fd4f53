import { Client, DatabaseError } from 'pg';

import { DatabasePackageError } from '../errors.ts';

/** Nothing that takes connections was found in time. The message holds no URL. */
export class DatabaseUnreachableError extends DatabasePackageError {
  readonly code = 'NEXUS_DATABASE_UNREACHABLE';
}

export interface WaitForDatabaseOptions {
  readonly url: string;
  /** How long to try; 0 tries once. */
  readonly waitMs: number;
  /** Receives one line when it starts to wait, and one whenever the reason changes. */
  readonly log: (message: string) => void;
  /** Epoch or monotonic milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Connects and disconnects; replaced in tests. */
  readonly tryOnce?: (url: string) => Promise<void>;
}

const PAUSE_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;

/** What a server that is being started, moved or restarted answers, by code. */
const PASSING: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there yet',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host could not be looked up',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'no answer',
  '53300': 'it has no connection left',
  '57P01': 'it is shutting down',
  '57P02': 'it is recovering from a crash',
  '57P03': 'it is starting up',
};

/**
 * Resolves once the database takes a connection.
 *
 * @throws DatabaseUnreachableError when it does not in time
 * @throws DatabaseError from the driver when it answers and refuses: waiting would not help
 */
export async function waitForDatabase(options: WaitForDatabaseOptions): Promise<void> {
  const { url, waitMs, log, now, sleep, tryOnce = connectOnce } = options;
  const deadline = now() + waitMs;
  let told: string | undefined;
  for (;;) {
    const reason = await reasonToWait(() => tryOnce(url));
    if (reason === undefined) return;
    const { host } = new URL(url);
    if (now() >= deadline) {
      throw new DatabaseUnreachableError(
        `the database at ${host} cannot be reached: ${reason}; look whether it runs and may be reached from here`,
      );
    }
    if (reason !== told) log(`waiting for the database at ${host}: ${reason}`);
    told = reason;
    await sleep(PAUSE_MS);
  }
}

async function reasonToWait(attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const known = PASSING[code];
    if (known !== undefined) return known;
    // Of its own errors the driver marks none: closed while connecting, or no answer in time.
    if (!(error instanceof DatabaseError) && code === '') return 'no answer';
    throw error;
  }
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: 'claude-nexus wait',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
}
