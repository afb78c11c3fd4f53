import { UpstreamAnswerError, UpstreamClosedError } from '../errors.ts';
import type { UpstreamHead } from './answer-head.ts';
import { parseFields, parseHead } from './answer-head.ts';
import { ChunkFraming } from './chunk-framing.ts';

/** Longest head of an answer with its interim ones, and longest trailers, in bytes. */
const MAX_HEAD_BYTES = 64 * 1024;

const END_OF_HEAD = '\r\n\r\n';

/** Body bytes of one read. They belong to the reader: whoever keeps them copies them. */
export interface BodyBytes {
  readonly data: Buffer;
  /** Flat: start and end of each stretch of `data` that belongs to the body. */
  readonly runs: readonly number[];
  /** Sum of the stretches. */
  readonly length: number;
}

type ParserState = 'head' | 'counted' | 'framing' | 'chunk' | 'trailers' | 'close' | 'complete';

/**
 * Takes the answers on one connection apart, one after the other, wherever the network cuts them. What it does not
 * understand it refuses; it holds no body bytes.
 */
export class AnswerParser implements BodyBytes {
  readonly #onHead: (head: UpstreamHead) => void;
  readonly #chunks = new ChunkFraming();
  data: Buffer = NOTHING;
  readonly runs: number[] = [];
  length = 0;
  /** How long the connection may wait for another request once the answer is complete. */
  keepAliveMs = 0;
  /** Flat names and values. */
  trailers: string[] = [];
  #state: ParserState = 'complete';
  #method = '';
  /** Start of a head or of trailers whose end has not come. */
  #held = '';
  #headBytes = 0;
  /** Bytes of a counted body or of a chunk that have not come. */
  #left = 0;

  /** @param onHead called within `take` for each interim answer and for the final one */
  constructor(onHead: (head: UpstreamHead) => void) {
    this.#onHead = onHead;
  }

  /** Begins to expect the answer to a request with this method. */
  expect(method: string): void {
    this.#method = method;
    this.#state = 'head';
    this.#held = '';
    this.#headBytes = 0;
    this.keepAliveMs = 0;
    if (this.trailers.length > 0) this.trailers = [];
  }

  /** The whole answer has come. */
  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** Forgets the bytes of the last read. */
  clear(): void {
    this.data = NOTHING;
    this.runs.length = 0;
    this.length = 0;
  }

  /**
   * Reads what has come; afterwards `runs` tells which of the bytes are the body's, also when it throws.
   *
   * @returns how many bytes were read: fewer than `bytes` when some follow the end of the answer
   * @throws {UpstreamAnswerError}
   */
  take(data: Buffer, bytes: number): number {
    this.clear();
    this.data = data;
    let at = 0;
    while (at < bytes && this.#state !== 'complete') at = this.#step(at, bytes);
    return at;
  }

  /**
   * The upstream has closed its side.
   *
   * @throws {UpstreamClosedError} unless that is the regular end of the answer
   */
  end(): void {
    if (this.#state !== 'close') throw new UpstreamClosedError('the upstream closed the connection');
    this.#state = 'complete';
  }

  #step(at: number, end: number): number {
    switch (this.#state) {
      case 'head':
      case 'trailers':
        return this.#block(at, end);
      case 'counted':
        return this.#body(at, end, 'complete');
      case 'chunk':
        return this.#body(at, end, 'framing');
      case 'framing':
        return this.#framing(at, end);
      case 'close':
        this.#addRun(at, end);
        return end;
      case 'complete':
      default:
        return at;
    }
  }

  #body(at: number, end: number, next: ParserState): number {
    const stop = Math.min(end, at + this.#left);
    this.#addRun(at, stop);
    this.#left -= stop - at;
    if (this.#left === 0) this.#state = next;
    return stop;
  }

  #framing(from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const size = this.#chunks.next(this.data[at] as number);
      if (size < 0) continue;
      this.#left = size;
      this.#state = size === 0 ? 'trailers' : 'chunk';
      // So that the empty line ends the trailers also where there are none.
      if (size === 0) this.#held = '\r\n';
      return at + 1;
    }
    return end;
  }

  /** A head or trailers: text up to an empty line. */
  #block(at: number, end: number): number {
    const held = this.#held;
    const limit = held === '' ? this.#endOfHead(at, end) : Math.min(end, at + MAX_HEAD_BYTES);
    const text = held + this.data.toString('latin1', at, limit);
    const stop = text.indexOf(END_OF_HEAD, Math.max(0, held.length - END_OF_HEAD.length + 1));
    const length = stop < 0 ? text.length : stop + END_OF_HEAD.length;
    if (this.#headBytes + length > MAX_HEAD_BYTES) throw new UpstreamAnswerError('the head is too long');
    if (stop < 0) {
      this.#held = text;
      return limit;
    }
    this.#held = '';
    this.#headBytes += length;
    const block = text.slice(0, stop + 2);
    if (this.#state === 'trailers') {
      this.trailers = parseFields(block, 2);
      this.#state = 'complete';
    } else {
      this.#head(parseHead(block, this.#method));
    }
    return at + length - held.length;
  }

  /** Where to stop reading a head as text: most of a read may be the body. */
  #endOfHead(at: number, end: number): number {
    const found = this.data.subarray(0, end).indexOf(END_OF_HEAD, at, 'latin1');
    return found < 0 ? Math.min(end, at + MAX_HEAD_BYTES) : found + END_OF_HEAD.length;
  }

  #head(head: UpstreamHead): void {
    if (head.status === 101) throw new UpstreamAnswerError('the upstream switches protocols unasked');
    if (head.status >= 200) this.#begin(head);
    this.#onHead(head);
  }

  #begin({ framing, keepAliveMs }: UpstreamHead): void {
    this.keepAliveMs = keepAliveMs;
    // Trailers have a bound of their own.
    this.#headBytes = 0;
    if (framing === 'chunked') {
      this.#chunks.reset();
      this.#state = 'framing';
    } else if (framing === 'close') {
      this.#state = 'close';
    } else {
      this.#left = framing;
      this.#state = framing === 0 ? 'complete' : 'counted';
    }
  }

  #addRun(start: number, end: number): void {
    this.runs.push(start, end);
    this.length += end - start;
  }
}

const NOTHING = Buffer.alloc(0);
