import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/**
 * One end of a TCP connection, driven byte by byte: nothing between a test and the wire. Reading can be stopped to
 * make the other side feel backpressure.
 */
export class RawPeer {
  readonly socket: Socket;
  /** How the connection ended: a FIN from the other side, or a reset. */
  readonly closed: Promise<'end' | 'reset'>;
  #received: Buffer[] = [];
  #length = 0;
  #ended: 'end' | 'reset' | undefined;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      const end = (how: 'end' | 'reset'): void => {
        this.#ended ??= how;
        resolve(this.#ended);
        this.#wake();
      };
      socket.on('end', () => end('end'));
      socket.on('error', () => end('reset'));
      socket.on('close', () => end('end'));
    });
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
  }

  static async to(port: number): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  /** All bytes so far; latin1 keeps every value. */
  get text(): string {
    return this.bytes.toString('latin1');
  }

  get bytes(): Buffer {
    const all = Buffer.concat(this.#received);
    this.#received = [all];
    return all;
  }

  get length(): number {
    return this.#length;
  }

  /** True once the other side has closed. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Forgets what has come so far and returns it. */
  take(): string {
    const { text } = this;
    this.#received = [];
    this.#length = 0;
    return text;
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Resolves with all bytes once they contain or match `what`; fails when the connection ends before. */
  async until(what: string | RegExp): Promise<string> {
    const found = (text: string): boolean =>
      typeof what === 'string' ? text.includes(what) : what.test(text);
    await this.#wait(() => found(this.text), String(what));
    return this.text;
  }

  /** Resolves with the bytes once there are as many. */
  async untilLength(length: number): Promise<Buffer> {
    await this.#wait(() => this.#length >= length, `${length} bytes`);
    return this.bytes;
  }

  /** Resolves with all bytes once the other side has closed. */
  async untilClosed(): Promise<string> {
    await this.closed;
    return this.text;
  }

  /** Resolves with all bytes at the end of a chunked answer where there should be one, else of the connection. */
  untilClosedOr(whole: boolean): Promise<string> {
    return whole ? this.until(/\r\n0\r\n\r\n$/) : this.untilClosed();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #wait(done: () => boolean, what: string): Promise<void> {
    while (!done()) {
      if (this.#ended !== undefined) {
        throw new Error(
          `closed (${this.#ended}) before ${what}; got ${JSON.stringify(this.text.slice(0, 2000))}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
