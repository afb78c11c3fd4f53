import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { RawPeer } from './raw-peer.ts';

/** A TCP server that does nothing by itself: tests take its connections and play the upstream on them. */
export class RawUpstream {
  readonly port: number;
  /** Every connection so far. */
  readonly connections: RawPeer[] = [];
  readonly #server: Server;
  #fresh: RawPeer[] = [];
  #waiters: ((peer: RawPeer) => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      socket.setNoDelay(true);
      const peer = new RawPeer(socket);
      this.connections.push(peer);
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#fresh.push(peer);
      else waiter(peer);
    });
  }

  static async start(): Promise<RawUpstream> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawUpstream(server);
  }

  /** The next connection nobody has taken yet. */
  connection(): Promise<RawPeer> {
    const peer = this.#fresh.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** The next connection, once the head of its request has come. */
  async request(): Promise<RawPeer> {
    const peer = await this.connection();
    await peer.until('\r\n\r\n');
    return peer;
  }

  async close(): Promise<void> {
    for (const peer of this.connections) peer.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
