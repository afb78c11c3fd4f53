import { Client } from 'pg';

import { restrictSession } from '../connection/open-pool.ts';

/** How to be told that something was committed. */
export interface ChangeListenerOptions {
  /** Not through a transaction pooler, and not a standby: there the poll is all there is. */
  readonly url: string;
  readonly applicationName: string;
  /** Something may have changed. Called often and for nothing: it must be cheap, and must not throw. */
  readonly onChange: () => void;
  /** Told of lost connections and failed attempts; another attempt follows by itself. */
  readonly onError?: (error: unknown) => void;
  /** Between calls without a doorbell; default 5000. */
  readonly pollMs?: number;
}

/** Stops listening. */
export interface ChangeListener {
  close(): Promise<void>;
}

/** Notification channel of commits; the payload is always empty. */
const CHANNEL = 'nexus_change';
const POLL_MS = 5_000;
const RETRY_MS = { first: 500, last: 30_000 };
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Calls `onChange` at every doorbell, after every connection, and every `pollMs` in any case. Works while the
 * database is down, by trying to connect again and again.
 */
export function listenForChanges(options: ChangeListenerOptions): ChangeListener {
  const listener = new DoorbellListener(options);
  listener.start();
  return listener;
}

class DoorbellListener implements ChangeListener {
  readonly #options: ChangeListenerOptions;
  #client: Client | undefined;
  #poll: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MS.first;
  #connecting: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ChangeListenerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#poll = setInterval(() => this.#options.onChange(), this.#options.pollMs ?? POLL_MS);
    this.#connecting = this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#retry);
    await this.#connecting;
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new Client({
      connectionString: this.#options.url,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, undefined));
    client.on('notification', () => this.#options.onChange());
    this.#client = client;
    try {
      await client.connect();
      await restrictSession(client, { role: 'nexus_reader', statementTimeoutMs: STATEMENT_TIMEOUT_MS });
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      this.#lost(client, error);
      return;
    }
    this.#retryMs = RETRY_MS.first;
    // Whatever was committed while nobody listened.
    if (!this.#closed) this.#options.onChange();
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    if (this.#closed) return;
    if (error !== undefined) this.#options.onError?.(error);
    this.#retry = setTimeout(() => {
      this.#connecting = this.#connect();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.last);
  }
}
