import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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
  /** Bytes on their way to the client, by reference. */
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
 * Pieces of one read of the upstream's socket are joined: a stream of small chunks costs one write, not one each.
 */
export class AnswerWriter {
  readonly #res: ServerResponse;
  readonly #source: AnswerSource;
  #start: AnswerStart | undefined;
  #pieces: Buffer[] = [];
  #scheduled = false;
  /** Bytes of a declared length that have not come yet. */
  #missing = Number.POSITIVE_INFINITY;
  #held: Buffer | undefined;
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
    this.#schedule();
  }

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#schedule();
  }

  /** Passes on what has come, all but the last byte. */
  flush(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    const pieces = this.#pieces;
    if (pieces.length === 0) {
      if (this.#res.headersSent) this.#res.flushHeaders();
      return;
    }
    this.#pieces = [];
    if (this.#chunked) {
      const frame = frameOf(pieces);
      this.#source.delivered(frame.data);
      this.#write(frame.bytes);
    } else {
      const data = pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? NOTHING);
      this.#source.delivered(data);
      this.#missing -= data.length;
      if (this.#missing === 0) this.#held = data.subarray(data.length - 1);
      this.#write(this.#held === undefined ? data : data.subarray(0, data.length - 1));
    }
  }

  /** Ends the answer: the exchange is recorded. */
  release(trailers: [string, string][]): void {
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
    else if (!this.#res.write(bytes)) this.#source.pause();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(flushWriter, this);
  }
}

const NOTHING = Buffer.alloc(0);

/** One HTTP chunk of these pieces, and the part of it that is their data. */
function frameOf(pieces: readonly Buffer[]): { bytes: Buffer; data: Buffer } {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const size = `${length.toString(16)}\r\n`;
  const bytes = Buffer.allocUnsafe(size.length + length + 2);
  let at = bytes.write(size, 'latin1');
  const start = at;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  bytes.write('\r\n', at, 'latin1');
  return { bytes, data: bytes.subarray(start, at) };
}

function lastChunk(trailers: readonly [string, string][]): string {
  let text = '0\r\n';
  for (const [name, value] of trailers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

function flushWriter(writer: AnswerWriter): void {
  writer.flush();
}

/** undici hands over only the last part of a reason phrase that came in several reads, and decodes it as UTF-8. */
export function reasonPhrase(status: number, text: string): string {
  const standard = STATUS_CODES[status] ?? '';
  const partial = text !== '' && standard.endsWith(text);
  return partial || !REASON.test(text) ? standard : text;
}
