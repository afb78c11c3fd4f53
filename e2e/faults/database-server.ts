import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '@claude-nexus/database';
import { startEmbedded } from '@claude-nexus/database/embedded';
import type { EmbeddedServer } from '@claude-nexus/database/embedded';
import { withClient } from '@claude-nexus/database/testing';

/** A PostgreSQL of its own, crash-safe, that a test may stop, kill and fill. */
export class DatabaseServer {
  /** Superuser URL of the migrated database; the same after every start. */
  readonly url: string;
  readonly #dataDir: string;
  readonly #ownFolder: boolean;
  #server: EmbeddedServer;

  private constructor(dataDir: string, ownFolder: boolean, server: EmbeddedServer) {
    this.#dataDir = dataDir;
    this.#ownFolder = ownFolder;
    this.#server = server;
    this.url = server.url;
  }

  /** @param dataDir default: a temporary folder */
  static async start(dataDir?: string): Promise<DatabaseServer> {
    const folder = dataDir ?? (await mkdtemp(path.join(tmpdir(), 'nexus-faults-database-')));
    const server = await startEmbedded({ dataDir: folder });
    const database = new DatabaseServer(folder, dataDir === undefined, server);
    try {
      await migrate({ url: server.url });
    } catch (error) {
      await database.remove();
      throw error;
    }
    return database;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Starts again after `stop` or `kill`, on the same port and data. */
  async restart(): Promise<void> {
    this.#server = await startEmbedded({ dataDir: this.#dataDir, port: this.port });
  }

  /** Starts again if it has ended by itself. @returns whether it had */
  async revive(): Promise<boolean> {
    if (isAlive(this.#server.pid)) return false;
    await this.stop();
    await this.restart();
    return true;
  }

  /** Disconnects everybody and ends in order. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Ends without a checkpoint or a goodbye, as after a crash; what was committed must survive. */
  async kill(): Promise<void> {
    process.kill(this.#server.pid, 'SIGQUIT');
    await this.#server.exited;
    await this.#server.stop();
  }

  /** Runs statements as superuser, on a connection of their own. */
  async run(...statements: readonly string[]): Promise<void> {
    await withClient(this.url, async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  }

  /** Holds a lock on a table as long as `work` takes. */
  async withLock(table: string, work: () => Promise<void>): Promise<void> {
    await withClient(this.url, async (client) => {
      await client.query('begin');
      await client.query(`lock table ${table} in access exclusive mode`);
      await work();
      await client.query('rollback');
    });
  }

  async remove(): Promise<void> {
    await this.#server.stop();
    if (this.#ownFolder) await rm(this.#dataDir, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
