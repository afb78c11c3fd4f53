import { startPreparedServer, withClient } from '@claude-nexus/database/testing';

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
  const server = await startPreparedServer((maintenance) =>
    withClient(maintenance, async (client) => {
      await client.query('create database nexus');
    }),
  );
  const { host, password } = new URL(server.url);
  return { address: host, password, stop: () => server.stop() };
}
