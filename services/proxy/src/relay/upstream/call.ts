import type { UpstreamHead } from './answer-head.ts';
import type { BodyBytes } from './answer-parser.ts';
import type { ConnectionUser, UpstreamConnection } from './connection.ts';
import type { UpstreamRequest } from './request-head.ts';
import { leavesReusable, requestHead } from './request-head.ts';

/** What becomes of a request. Nothing is called any more after `answerEnd`, `upstreamFailed` or an abort. */
export interface AnswerHandler {
  /** Interim answers, below status 200, and the final one. */
  answerHead(head: UpstreamHead): void;
  /** At the end of each read of the answer; the bytes are valid during the call, and there may be none. */
  answerBytes(body: BodyBytes): void;
  /** @param trailers flat names and values */
  answerEnd(trailers: readonly string[]): void;
  upstreamFailed(error: Error): void;
  /** More of the body can be written after `write` had said no. */
  uploadDrained(): void;
}

/** Where connections come from. */
export interface ConnectionSource {
  readonly host: string;
  /** One that is free, or a new one. */
  take(): UpstreamConnection;
  connect(): UpstreamConnection;
}

/**
 * One request on its way upstream and its answer. The head goes with the first byte of the body, so that a client
 * that only announces one costs the upstream nothing. Nothing is ever sent twice: another connection is only tried
 * where the first, an idle one, closed before a byte was sent.
 */
export class UpstreamCall implements ConnectionUser {
  readonly #source: ConnectionSource;
  readonly #request: UpstreamRequest;
  readonly #handler: AnswerHandler;
  readonly #chunked: boolean;
  /** To be sent; empty afterwards. */
  #head: string;
  #connection: UpstreamConnection | undefined;
  /** What came while there was no connection. */
  #waiting: Buffer[] = [];
  #bodyDone: boolean;
  #paused = false;

  /** @throws {UpstreamRequestError} */
  constructor(source: ConnectionSource, request: UpstreamRequest, handler: AnswerHandler) {
    this.#source = source;
    this.#request = request;
    this.#handler = handler;
    this.#chunked = request.length === undefined;
    this.#bodyDone = request.length === 0;
    this.#head = requestHead(request, source.host);
    this.#connect(source.take());
  }

  /**
   * Sends a piece of the body, by reference.
   *
   * @returns false when the caller is to wait for `uploadDrained`
   */
  write(chunk: Buffer): boolean {
    const connection = this.#connection;
    if (connection?.ready === true) return this.#send(connection, chunk);
    this.#waiting.push(chunk);
    return false;
  }

  /** The body is complete. */
  end(): void {
    this.#bodyDone = true;
    if (this.#connection?.ready === true) this.#finish(this.#connection);
  }

  /** Stops reading the answer. */
  pause(): void {
    this.#paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#connection?.resume();
  }

  /** Gives the exchange up; once the answer has ended, nothing happens. */
  abort(): void {
    this.#leave()?.destroy();
  }

  connected(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) this.#send(connection, chunk);
    if (this.#bodyDone) this.#finish(connection);
    else if (waiting.length > 0) this.drained();
  }

  drained(): void {
    if (!this.#bodyDone) this.#handler.uploadDrained();
  }

  answerHead(head: UpstreamHead): void {
    this.#handler.answerHead(head);
  }

  answerBytes(body: BodyBytes): void {
    this.#handler.answerBytes(body);
  }

  answerEnd(trailers: readonly string[]): void {
    this.#leave();
    this.#handler.answerEnd(trailers);
  }

  connectionLost(error: Error): void {
    const connection = this.#leave();
    if (this.#head !== '' && connection?.reused === true) this.#connect(this.#source.connect());
    else this.#handler.upstreamFailed(error);
  }

  #connect(connection: UpstreamConnection): void {
    this.#connection = connection;
    connection.use(this);
    if (this.#paused) connection.pause();
    if (connection.ready && this.#bodyDone) this.#finish(connection);
  }

  #leave(): UpstreamConnection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    return connection;
  }

  #send(connection: UpstreamConnection, chunk: Buffer): boolean {
    const head = this.#takeHead(connection);
    if (!this.#chunked) return connection.send(head, chunk, '');
    return connection.send(`${head}${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
  }

  #finish(connection: UpstreamConnection): void {
    const head = this.#takeHead(connection);
    if (this.#chunked) connection.send(`${head}0\r\n\r\n`, undefined, '');
    else if (head !== '') connection.send(head, undefined, '');
    if (leavesReusable(this.#request)) connection.requestSent();
  }

  #takeHead(connection: UpstreamConnection): string {
    const head = this.#head;
    this.#head = '';
    if (head !== '') connection.expectAnswer(this.#request.method);
    return head;
  }
}
