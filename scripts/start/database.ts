import { setTimeout as delay } from 'node:timers/promises';
import { ensureLogin, migrate, openPool, schemaFit, schemaVersion } from '@claude-nexus/database';
import { startEmbedded } from '@claude-nexus/database/embedded';
import type { EmbeddedServer } from '@claude-nexus/database/embedded';

import { Backoff } from './backoff.ts';
import { DatabaseUnusableError, SchemaTooNewError } from './errors.ts';
import type { Secrets } from './secrets.ts';
import type { StartSettings } from './settings.ts';

/** The database of this gateway, migrated, with one login per service. */
export interface GatewayDatabase {
  /** The proxy's login, a member of nexus_writer. */
  readonly writerUrl: string;
  /** The dashboard's login, a member of nexus_reader. */
  readonly readerUrl: string;
  /** Where it is, for people: never with a password. */
  readonly location: string;
}

interface DatabaseOptions {
  readonly settings: StartSettings;
  readonly secrets: Secrets;
  readonly report: (line: string) => void;
}

/** The embedded server, kept running until `stop`. */
export class EmbeddedDatabase {
  readonly #dataDir: string;
  readonly #report: (line: string) => void;
  readonly #backoff = new Backoff();
  readonly #stopped = new AbortController();
  #starting: Promise<EmbeddedServer> | undefined;
  #server: EmbeddedServer | undefined;
  #supervision: Promise<void> | undefined;

  constructor(options: { dataDir: string; report: (line: string) => void }) {
    this.#dataDir = options.dataDir;
    this.#report = options.report;
  }

  /** Starts the server; from then on it is restarted, on the same port, whenever it ends. @returns its URL */
  async start(): Promise<string> {
    const server = await this.#launch(0);
    this.#supervision = this.#keepRunning(server);
    return server.url;
  }

  /** Stops the server, waiting for a start that is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const server = await this.#starting?.catch(() => undefined);
    await server?.stop();
    await this.#supervision;
  }

  /** Stops the server at once; it recovers on the next start. */
  kill(): void {
    this.#stopped.abort();
    try {
      if (this.#server) process.kill(this.#server.pid, 'SIGQUIT');
    } catch {
      // It has ended already.
    }
  }

  async #launch(port: number): Promise<EmbeddedServer> {
    this.#starting = startEmbedded({ dataDir: this.#dataDir, port, log: this.#report });
    this.#server = await this.#starting;
    return this.#server;
  }

  async #keepRunning(first: EmbeddedServer): Promise<void> {
    let server = first;
    for (;;) {
      const started = Date.now();
      await server.exited;
      if (this.#stopped.signal.aborted) return;
      await server.stop();
      const next = await this.#relaunch(server.port, Date.now() - started);
      if (!next) return;
      server = next;
    }
  }

  async #relaunch(port: number, ranMs: number): Promise<EmbeddedServer | undefined> {
    for (let ran = ranMs; !this.#stopped.signal.aborted; ran = 0) {
      const wait = this.#backoff.after(ran);
      this.#report(`PostgreSQL ended; starting it again in ${wait / 1000} s`);
      await delay(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      if (this.#stopped.signal.aborted) return undefined;
      try {
        return await this.#launch(port);
      } catch (error) {
        this.#report(error instanceof Error ? error.message : String(error));
      }
    }
    return undefined;
  }
}

/**
 * Migrates the operator's database. Its URL serves both services, each restricted by the role it sets.
 *
 * @throws DatabaseUnusableError when it cannot be reached
 */
export async function prepareExternal(url: string, options: DatabaseOptions): Promise<GatewayDatabase> {
  const { migrationDatabaseUrl } = options.settings;
  try {
    await prepareSchema(migrationDatabaseUrl ?? url, options.report);
  } catch (error) {
    if (isOurs(error)) throw error;
    const setting = migrationDatabaseUrl === undefined ? 'DATABASE_URL' : 'MIGRATION_DATABASE_URL';
    throw new DatabaseUnusableError(`the database of ${setting} cannot be used: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const { host, pathname } = new URL(url);
  return { writerUrl: url, readerUrl: url, location: `PostgreSQL on ${host}${pathname}` };
}

/** Tells whether an error is one of ours, with a message that is already fit for a person. */
export function isOurs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('NEXUS_');
}

/** Several addresses tried in vain give an error without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** Migrates the embedded database and gives each service a login of its own. */
export async function prepareEmbedded(url: string, options: DatabaseOptions): Promise<GatewayDatabase> {
  await prepareSchema(url, options.report);
  const { writerPassword, readerPassword } = options.secrets;
  const writerUrl = withLogin(url, 'nexus_proxy', writerPassword);
  const readerUrl = withLogin(url, 'nexus_dashboard', readerPassword);
  await ensureLogin({ url, name: 'nexus_proxy', password: writerPassword, group: 'nexus_writer' });
  await ensureLogin({ url, name: 'nexus_dashboard', password: readerPassword, group: 'nexus_reader' });
  const { host, pathname } = new URL(url);
  return { writerUrl, readerUrl, location: `embedded PostgreSQL on ${host}${pathname}` };
}

async function prepareSchema(url: string, report: (line: string) => void): Promise<void> {
  await migrate({ url, log: (line) => (line.startsWith('schema is at') ? undefined : report(line)) });
  const pool = openPool({
    url,
    role: 'nexus_writer',
    max: 1,
    applicationName: 'claude-nexus start',
    statementTimeoutMs: 10_000,
    onError: (error) => report(error.message),
  });
  try {
    const schema = await schemaVersion(pool);
    if (schemaFit(schema) === 'fits') return;
    throw new SchemaTooNewError(
      `the database has schema version ${schema.version}, which no longer serves this release; ` +
        'upgrade ClaudeNexus, or choose another database or data directory',
    );
  } finally {
    await pool.end();
  }
}

function withLogin(base: string, user: string, password: string): string {
  const url = new URL(base);
  url.username = user;
  url.password = password;
  return url.href;
}
