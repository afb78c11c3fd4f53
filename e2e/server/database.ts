import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbedded } from '@claude-nexus/database/embedded';
import { withClient } from '@claude-nexus/database/testing';

/** A new PostgreSQL with an empty database `nexus`, as the official image makes one. */
export interface EmptyDatabase {
  /** `host:port` */
  readonly address: string;
  /** Of the superuser `postgres`; needs no encoding in a URL. */
  readonly password: string;
  stop(): Promise<void>;
}

/** Starts one that ends, with its data, by `stop`. */
export async function startEmptyDatabase(): Promise<EmptyDatabase> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'nexus-server-database-'));
  // Run as root, the server is another user.
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({ dataDir, durable: false });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await withClient(server.url, (client) => client.query('create database nexus'));
    const { host, password } = new URL(server.url);
    return { address: host, password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
