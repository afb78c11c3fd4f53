import type { ConnectionOptions } from 'node:tls';

import type { AnswerHandler, ConnectionSource } from './call.ts';
import { UpstreamCall } from './call.ts';
import type { ConnectionOwner } from './connection.ts';
import { UpstreamConnection } from './connection.ts';
import { SocketOpener } from './open-socket.ts';
import type { UpstreamRequest } from './request-head.ts';

export interface UpstreamPoolOptions {
  readonly origin: URL;
  readonly connectMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** For https; Node's own settings when absent. */
  readonly tls?: ConnectionOptions;
}

interface IdleConnection {
  readonly connection: UpstreamConnection;
  readonly until: number;
}

/** Connections to the one upstream: as many as there are exchanges, kept for a while, never two exchanges on one. */
export class UpstreamPool implements ConnectionSource, ConnectionOwner {
  readonly host: string;
  readonly #options: UpstreamPoolOptions;
  readonly #opener: SocketOpener;
  readonly #all = new Set<UpstreamConnection>();
  /** The one used last is at the end and is used next, so that those not needed grow old. */
  #idle: IdleConnection[] = [];
  #closed = false;

  constructor(options: UpstreamPoolOptions) {
    this.#options = options;
    this.#opener = new SocketOpener(options.origin, options.tls);
    this.host = options.origin.host;
  }

  /**
   * Sends a request and begins to wait for its answer.
   *
   * @throws {UpstreamRequestError} when it cannot be sent as it is
   */
  send(request: UpstreamRequest, handler: AnswerHandler): UpstreamCall {
    return new UpstreamCall(this, request, handler);
  }

  take(): UpstreamConnection {
    return this.#idle.pop()?.connection ?? this.connect();
  }

  connect(): UpstreamConnection {
    const connection = new UpstreamConnection(this, this.#opener, this.#options.connectMs);
    this.#all.add(connection);
    return connection;
  }

  /** Closes the connections that have been idle for too long; to be called every now and then. */
  closeIdle(): void {
    const now = this.#options.now();
    for (const { connection, until } of this.#idle) {
      if (until <= now) connection.destroy();
    }
  }

  /** Closes everything at once. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.destroy();
  }

  connectionFree(connection: UpstreamConnection, keepAliveMs: number): void {
    if (this.#closed) connection.destroy();
    else this.#idle.push({ connection, until: this.#options.now() + keepAliveMs });
  }

  connectionGone(connection: UpstreamConnection): void {
    if (!this.#all.delete(connection)) return;
    this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
  }
}
