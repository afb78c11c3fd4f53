import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { BodyBytes } from './upstream/answer-parser.ts';

/** Head of the answer as the client gets it. */
export interface AnswerStart {
  readonly status: number;
  readonly statusText: string;
  /** Flat name, value list. */
  readonly headers: string[];
  /** Declared length of the body in bytes. */
  readonly length: number | undefined;
  /** True where no body can follow: HEAD, 204, 304. */
  readonly bodyless: boolean;
}

export interface AnswerSource {
  /** Bytes on their way to the client, which may be kept. */
  delivered(chunk: Buffer): void;
  pause(): void;
}

/** Reason phrases Node accepts; others are replaced by the standard one. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Writes an upstream's answer to the client: every piece at once, save the very last byte (or the terminating
 * chunk, or the head where there is no body), which waits for `release`. A client that has its last byte can so
 * rely on the exchange being recorded.
 *
 * What one read of the upstream's socket has brought is joined: a stream of small chunks costs one write, not one
 * each.
 */
export class AnswerWriter {
  readonly #res: ServerResponse;
  readonly #source: AnswerSource;
  #start: AnswerStart | undefined;
  /** Bytes of a declared length that have not come yet. */
  #missing = Number.POSITIVE_INFINITY;
  #held: Buffer | undefined;
  /** The head is written but not sent: it goes with the first bytes, or alone where none came with it. */
  #headWaits = false;
  #chunked = false;
  #closed = false;

  constructor(res: ServerResponse, source: AnswerSource) {
    this.#res = res;
    this.#source = source;
  }

  begin(start: AnswerStart): void {
    this.#start = start;
    if (start.length !== undefined) this.#missing = start.length;
    if (start.bodyless || start.length === 0) return;
    this.#writeHead(start);
    this.#headWaits = true;
  }

  /** Passes on what has come, all but the last byte; without any bytes, the head. */
  push(body: BodyBytes): void {
    if (this.#closed || this.#start === undefined) return;
    if (body.length === 0) {
      if (this.#headWaits) this.#res.flushHeaders();
      this.#headWaits = false;
      return;
    }
    this.#headWaits = false;
    if (this.#chunked) {
      const frame = frameOf(body);
      this.#source.delivered(frame.data);
      this.#write(frame.bytes);
      return;
    }
    const data = Buffer.allocUnsafe(body.length);
    copyRuns(body, data, 0);
    this.#source.delivered(data);
    this.#missing -= data.length;
    if (this.#missing === 0) this.#held = data.subarray(data.length - 1);
    this.#write(this.#held === undefined ? data : data.subarray(0, data.length - 1));
  }

  /** Ends the answer: the exchange is recorded. */
  release(trailers: readonly string[]): void {
    if (this.#closed || this.#res.destroyed) return;
    this.#closed = true;
    if (this.#start !== undefined && !this.#res.headersSent) this.#writeHead(this.#start);
    if (this.#chunked) this.#res.end(lastChunk(trailers), 'latin1');
    else if (this.#held === undefined) this.#res.end();
    else this.#res.end(this.#held);
  }

  /** Closes the connection after what was flushed, so that the client cannot take the answer for complete. */
  cut(lingerMs: number): void {
    if (this.#closed) return;
    this.#closed = true;
    const { socket } = this.#res;
    if (socket !== null) this.#close(socket, lingerMs);
    // Still queued behind an earlier answer on the connection, which is not to suffer.
    else this.#res.once('socket', (turn) => process.nextTick(() => this.#close(turn, lingerMs)));
  }

  #close(socket: Socket, lingerMs: number): void {
    if (this.#chunked || this.#start?.length !== undefined) {
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      timer.unref();
      socket.once('close', () => clearTimeout(timer));
      socket.destroySoon();
    } else {
      // An HTTP/1.0 client reads until the end of the connection: only a reset tells it that this is not the end.
      socket.resetAndDestroy();
    }
  }

  #writeHead(start: AnswerStart): void {
    this.#res.sendDate = false;
    this.#res.writeHead(start.status, reasonPhrase(start.status, start.statusText), start.headers);
    // Node decides whether the answer is chunked; the framing is done here, in one write instead of four.
    this.#chunked = this.#res.chunkedEncoding;
    this.#res.chunkedEncoding = false;
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) this.#res.flushHeaders();
    else if (!this.#res.write(bytes) && this.#res.writableLength > MAX_UNSENT_BYTES) this.#source.pause();
  }
}

/** More than this many bytes not taken by the client: the upstream is read no further. */
const MAX_UNSENT_BYTES = 128 * 1024;

/** These bytes as one HTTP chunk, and the part of it that is their data. */
function frameOf(body: BodyBytes): { bytes: Buffer; data: Buffer } {
  const size = `${body.length.toString(16)}\r\n`;
  const bytes = Buffer.allocUnsafe(size.length + body.length + 2);
  bytes.write(size, 'latin1');
  const end = copyRuns(body, bytes, size.length);
  bytes[end] = 13;
  bytes[end + 1] = 10;
  return { bytes, data: bytes.subarray(size.length, end) };
}

function copyRuns({ data, runs }: BodyBytes, target: Buffer, from: number): number {
  let at = from;
  for (let i = 0; i < runs.length; i += 2) at += data.copy(target, at, runs[i], runs[i + 1]);
  return at;
}

function lastChunk(trailers: readonly string[]): string {
  let text = '0\r\n';
  for (let i = 0; i < trailers.length; i += 2) text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** The upstream's own phrase where Node accepts it; it means nothing to HTTP. */
export function reasonPhrase(status: number, text: string): string {
  return REASON.test(text) ? text : (STATUS_CODES[status] ?? '');
}
