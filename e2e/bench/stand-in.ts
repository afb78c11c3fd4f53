/**
 * The upstream of the benchmark: a Messages API stand-in that costs little. It checks nothing, but says in
 * `request-id` which bytes it got: `<crc32>-<length>`. Tells its parent when a request begins, when it is in, and when
 * its connection has closed before the answer's end.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { crc32 } from 'node:zlib';

import { jsonAnswer, readOrder, streamEvents } from './answers.ts';
import type { AnswerOrder } from './answers.ts';
import { TextPool } from './random-text.ts';

/** What it tells its parent; times are of the monotonic clock, which processes share, in nanoseconds. */
export interface StandInNotice {
  readonly type: 'begun' | 'received' | 'left';
  readonly seed: number;
  readonly at: string;
}

const COMMON =
  'Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nanthropic-organization-id: 0b1e3f7a-0000-4000-8000-000000000000\r\n' +
  'anthropic-ratelimit-unified-status: allowed\r\nanthropic-ratelimit-unified-5h-utilization: 0.12\r\n' +
  'anthropic-ratelimit-unified-reset: 1763900000\r\nvia: 1.1 google\r\nserver: cloudflare\r\ncf-ray: 9a1b\r\n' +
  'strict-transport-security: max-age=31536000; includeSubDomains; preload\r\nx-robots-tag: none\r\n';

const pool = new TextPool();

class Connection {
  readonly #socket: Socket;
  #head = '';
  #order: AnswerOrder | undefined;
  #missing = 0;
  #length = 0;
  #crc = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => this.#read(data));
    socket.on('close', () => {
      if (this.#order !== undefined) this.#notify('left');
    });
  }

  #read(data: Buffer): void {
    let body = data;
    if (this.#order === undefined) {
      this.#head += data.toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = this.#head.slice(0, end + 2);
      body = Buffer.from(this.#head.slice(end + 4), 'latin1');
      this.#head = '';
      this.#order = readOrder(/\r\nx-bench: ([^\r]*)/i.exec(head)?.[1] ?? '');
      this.#length = this.#missing = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      this.#crc = 0;
      if (this.#order.mode === 'silent') this.#notify('begun');
    }
    this.#crc = crc32(body, this.#crc);
    this.#missing -= body.length;
    if (this.#missing === 0) this.#answer(this.#order);
  }

  #answer(order: AnswerOrder): void {
    const common = `HTTP/1.1 200 OK\r\n${COMMON}request-id: ${this.#crc.toString(16)}-${this.#length}\r\n`;
    if (order.mode === 'silent') {
      this.#notify('received');
    } else if (order.mode === 'json') {
      const body = jsonAnswer(pool, order);
      this.#socket.write(
        `${common}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      this.#done();
    } else {
      const head = `${common}Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const chunks = streamEvents(pool, order).map((text) => `${text.length.toString(16)}\r\n${text}\r\n`);
      if (order.mode === 'burst') {
        this.#socket.write(`${head}${chunks.join('')}0\r\n\r\n`);
        this.#done();
      } else {
        this.#socket.write(head + (chunks[0] ?? ''));
        this.#pace(order, chunks, 1);
      }
    }
  }

  #pace(order: AnswerOrder, chunks: readonly string[], next: number): void {
    const write = (): void => {
      if (this.#socket.destroyed) return;
      this.#socket.write(chunks[next] ?? '0\r\n\r\n');
      if (next < chunks.length) this.#pace(order, chunks, next + 1);
      else this.#done();
    };
    if (order.paceMs === 0) setImmediate(write);
    else setTimeout(write, order.paceMs);
  }

  #done(): void {
    this.#order = undefined;
  }

  #notify(type: StandInNotice['type']): void {
    const notice: StandInNotice = { type, seed: this.#order?.seed ?? 0, at: String(process.hrtime.bigint()) };
    process.send?.(notice);
  }
}

const server = createServer({ noDelay: true }, (socket) => void new Connection(socket));
server.listen(0, '127.0.0.1', 4096, () => process.send?.((server.address() as AddressInfo).port));
