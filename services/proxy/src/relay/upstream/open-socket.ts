import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** Gets each read: how many bytes stand at the start of `data`, which the next read, of any socket, overwrites. */
export type ReadCallback = (bytes: number, data: Buffer) => void;

/** Notices a peer that has vanished. */
const TCP_PROBE_MS = 60_000;
const READ_BYTES = 64 * 1024;

/**
 * Opens sockets to one origin. All of them read into the same memory, so that reading allocates nothing and a silent
 * connection holds no buffer.
 */
export class SocketOpener {
  /** Nothing may be sent before this event: only then is the certificate checked. */
  readonly readyEvent: 'connect' | 'secureConnect';
  readonly #host: string;
  readonly #port: number;
  readonly #tls: ConnectionOptions;
  readonly #memory = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Of an earlier, verified connection: makes the next handshake cheaper. */
  #session: Buffer | undefined;

  constructor(origin: URL, tls: ConnectionOptions = {}) {
    const secure = origin.protocol === 'https:';
    this.readyEvent = secure ? 'secureConnect' : 'connect';
    this.#host = origin.hostname.replace(/^\[|\]$/g, '');
    this.#port = Number(origin.port || (secure ? 443 : 80));
    this.#tls = tls;
  }

  open(read: ReadCallback): Socket {
    const buffer = this.#memory;
    const options = {
      host: this.#host,
      port: this.#port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
      onread: {
        buffer,
        callback: (bytes: number) => {
          read(bytes, buffer);
          return true;
        },
      },
    };
    return this.readyEvent === 'connect' ? connectTcp(options) : this.#openTls(options);
  }

  #openTls(options: ConnectionOptions): Socket {
    const socket = connectTls({
      ...options,
      ...this.#tls,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.on('session', (session) => {
      if (socket.authorized) this.#session = session;
    });
    return socket;
  }
}
