import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { crc32 } from 'node:zlib';

import type { BenchRequest } from './requests.ts';

/** When what arrived, in milliseconds. */
export interface Timing {
  /** From the first byte sent to the first byte received. */
  readonly firstByteMs: number;
  /** Between one arrival of body bytes and the next. */
  readonly gapsMs: readonly number[];
}

class WrongAnswerError extends Error {
  readonly code = 'NEXUS_BENCH_WRONG_ANSWER';
}

const CRLF = Buffer.from('\r\n');

/** One keep-alive connection; checks every answer byte for byte. */
export class BenchClient {
  readonly #socket: Socket;
  #pending:
    | { request: BenchRequest; resolve: (timing: Timing) => void; reject: (error: Error) => void }
    | undefined;
  #answer: AnswerReader | undefined;
  #sentAt = 0;
  #firstAt = 0;
  #lastAt = 0;
  #gaps: number[] = [];

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (data) => this.#read(data));
    this.#socket.on('error', (error) => this.#pending?.reject(error));
    this.#socket.on('close', () => this.#pending?.reject(new WrongAnswerError('the connection was closed')));
  }

  /** Sends one request and waits for the whole answer. */
  exchange(request: BenchRequest): Promise<Timing> {
    return new Promise((resolve, reject) => {
      this.#pending = { request, resolve, reject };
      this.#answer = new AnswerReader(request);
      this.#gaps = [];
      this.#firstAt = 0;
      this.#sentAt = performance.now();
      this.#socket.cork();
      this.#socket.write(request.head);
      this.#socket.write(request.body);
      this.#socket.uncork();
    });
  }

  /** Resolves when the first bytes of the answer have arrived; the connection is then for `close` only. */
  firstBytes(request: BenchRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      this.exchange(request).then(() => undefined, reject);
      this.#socket.once('data', () => resolve());
    });
  }

  /** Sends the head and half of the body; the connection is then for `close` only. */
  sendHalf(request: BenchRequest): void {
    this.#socket.write(request.head);
    this.#socket.write(request.body.subarray(0, request.body.length / 2));
  }

  close(): void {
    this.#pending = undefined;
    this.#socket.destroy();
  }

  #read(data: Buffer): void {
    const now = performance.now();
    if (this.#firstAt === 0) this.#firstAt = now;
    else this.#gaps.push(now - this.#lastAt);
    this.#lastAt = now;
    const pending = this.#pending;
    if (pending === undefined) return;
    try {
      if (this.#answer?.take(data) !== true) return;
    } catch (error) {
      pending.reject(error as Error);
      this.#socket.destroy();
      return;
    }
    this.#pending = undefined;
    pending.resolve({ firstByteMs: this.#firstAt - this.#sentAt, gapsMs: this.#gaps });
  }
}

type AnswerState = 'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'lastChunk' | 'complete';

/** Takes an HTTP answer apart, chunked or with a length, and checks it. */
class AnswerReader {
  readonly #request: BenchRequest;
  #data: Buffer = Buffer.alloc(0);
  #state: AnswerState = 'head';
  #left = 0;
  #crc = 0;

  constructor(request: BenchRequest) {
    this.#request = request;
  }

  /** True when the answer is complete. */
  take(data: Buffer): boolean {
    this.#data = this.#data.length === 0 ? data : Buffer.concat([this.#data, data]);
    let next: AnswerState | undefined;
    while (this.#state !== 'complete' && (next = this.#step()) !== undefined) this.#state = next;
    if (this.#state !== 'complete') return false;
    if (this.#crc !== this.#request.answerCrc) throw new WrongAnswerError('the answer arrived changed');
    return true;
  }

  /** The state that follows; undefined when more bytes are needed. */
  #step(): AnswerState | undefined {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'length':
        return this.#body() ? 'complete' : undefined;
      case 'size':
        return this.#size();
      case 'chunk':
        return this.#body() ? 'chunkEnd' : undefined;
      case 'chunkEnd':
        return this.#skip(2) ? 'size' : undefined;
      case 'lastChunk':
        return this.#skip(2) ? 'complete' : undefined;
      case 'complete':
      default:
        return undefined;
    }
  }

  #head(): AnswerState | undefined {
    const end = this.#data.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = this.#data.toString('latin1', 0, end + 2);
    this.#skip(end + 4);
    if (!head.startsWith('HTTP/1.1 200 ')) throw new WrongAnswerError(head.slice(0, 200));
    const receipt = /\r\nrequest-id: ([^\r]*)/i.exec(head)?.[1];
    if (receipt !== this.#request.receipt) throw new WrongAnswerError('the request arrived changed');
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) return 'size';
    this.#left = Number(length);
    return 'length';
  }

  #size(): AnswerState | undefined {
    const end = this.#data.indexOf(CRLF);
    if (end === -1) return undefined;
    this.#left = Number.parseInt(this.#data.toString('latin1', 0, end), 16);
    this.#skip(end + 2);
    return this.#left === 0 ? 'lastChunk' : 'chunk';
  }

  #body(): boolean {
    const part = this.#data.subarray(0, Math.min(this.#left, this.#data.length));
    this.#crc = crc32(part, this.#crc);
    this.#left -= part.length;
    return this.#skip(part.length) && this.#left === 0;
  }

  /** False: there are not so many bytes yet. */
  #skip(bytes: number): boolean {
    if (this.#data.length < bytes) return false;
    this.#data = this.#data.subarray(bytes);
    return true;
  }
}
