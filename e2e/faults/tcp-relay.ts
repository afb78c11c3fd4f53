import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A TCP connection in the middle that passes everything on until told otherwise. */
export class TcpRelay {
  readonly port: number;
  /** Connections cut so far. */
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: 'pass' | 'hold' | 'refuse' = 'pass';
  /** Bytes of a client that still pass before its connection is reset. */
  #resetAfter: number[] = [];

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client: Socket) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<TcpRelay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpRelay(server, targetPort);
  }

  /** The same URL, by way of this relay. */
  route(url: string): string {
    const routed = new URL(url);
    routed.port = String(this.port);
    return routed.href;
  }

  /** Resets each of the next connections that carry so many bytes from the client, in the middle of a write. */
  resetAfter(...bytes: readonly number[]): void {
    this.#resetAfter.push(...bytes);
  }

  get resetsLeft(): number {
    return this.#resetAfter.length;
  }

  /** Passes nothing on any more and closes nothing, as a network that swallows packets. */
  hold(): void {
    this.#mode = 'hold';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Closes every connection at once, as when nothing listens there. */
  refuse(): void {
    this.#mode = 'refuse';
    this.#resetAll();
  }

  /** Passes everything on again; connections held meanwhile are dead. */
  pass(): void {
    const held = this.#mode === 'hold';
    this.#mode = 'pass';
    if (held) this.#resetAll();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#resetAll();
    await once(this.#server, 'close');
  }

  #resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #accept(client: Socket, targetPort: number): void {
    if (this.#mode === 'refuse') {
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    const server = connect(targetPort, '127.0.0.1');
    const pair = [client, server] as const;
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (this.#mode !== 'hold') for (const other of pair) other.destroy();
      });
    }
    let carried = 0;
    client.on('data', (chunk: Buffer) => {
      carried += chunk.length;
      const limit = this.#resetAfter[0];
      if (limit === undefined || carried < limit) {
        server.write(chunk);
        return;
      }
      this.#resetAfter.shift();
      this.cuts += 1;
      // Half of what came still arrives: the server has begun to read a message that never ends.
      server.write(chunk.subarray(0, chunk.length >> 1));
      client.resetAndDestroy();
      server.resetAndDestroy();
    });
    server.on('data', (chunk: Buffer) => client.write(chunk));
    if (this.#mode === 'hold') for (const socket of pair) socket.pause();
  }
}
