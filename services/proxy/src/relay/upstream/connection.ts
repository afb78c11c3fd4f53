import type { Socket } from 'node:net';

import { UpstreamClosedError, UpstreamConnectTimeoutError } from '../errors.ts';
import type { UpstreamHead } from './answer-head.ts';
import type { BodyBytes } from './answer-parser.ts';
import { AnswerParser } from './answer-parser.ts';
import type { SocketOpener } from './open-socket.ts';

/** The one exchange that uses a connection. */
export interface ConnectionUser {
  /** Bytes can be sent now. */
  connected(): void;
  /** Bytes can be sent again after `send` had said no. */
  drained(): void;
  answerHead(head: UpstreamHead): void;
  /** At the end of each read of an answer; the bytes are valid during the call, and there may be none. */
  answerBytes(body: BodyBytes): void;
  /** @param trailers flat names and values */
  answerEnd(trailers: readonly string[]): void;
  /** The connection is of no use any more, and the answer has not come to its end. */
  connectionLost(error: Error): void;
}

export interface ConnectionOwner {
  /** The answer has come to its end, and the connection may carry another request for that long. */
  connectionFree(connection: UpstreamConnection, keepAliveMs: number): void;
  connectionGone(connection: UpstreamConnection): void;
}

/** More than this many bytes not taken by the kernel: the sender is to wait. */
const MAX_UNSENT_BYTES = 256 * 1024;

/**
 * A connection to the upstream with at most one exchange on it. Bytes that nobody has asked for close it, because the
 * next request would take them for its answer.
 */
export class UpstreamConnection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser: AnswerParser;
  #timer: NodeJS.Timeout | undefined;
  #user: ConnectionUser | undefined;
  #ready = false;
  /** The request's head is sent: an answer may come. */
  #asked = false;
  #requestDone = false;
  #exchanges = 0;

  constructor(owner: ConnectionOwner, opener: SocketOpener, connectMs: number) {
    this.#owner = owner;
    this.#parser = new AnswerParser((head) => this.#user?.answerHead(head));
    const socket = opener.open((bytes, data) => this.#read(bytes, data));
    this.#socket = socket;
    this.#timer = setTimeout(
      () => this.#lose(new UpstreamConnectTimeoutError('no connection in time')),
      connectMs,
    );
    socket.once(opener.readyEvent, () => this.#connected());
    socket.on('drain', () => this.#user?.drained());
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose(new UpstreamClosedError('the connection was closed')));
  }

  /** It has carried an exchange before the present one, and the upstream may be about to close it. */
  get reused(): boolean {
    return this.#exchanges > 1;
  }

  /** True: `send` will work. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Gives the connection to an exchange. */
  use(user: ConnectionUser): void {
    this.#user = user;
    this.#exchanges++;
    this.#asked = false;
    this.#requestDone = false;
  }

  /** From now on the answer to a request with this method is expected; to be called before its head is sent. */
  expectAnswer(method: string): void {
    this.#asked = true;
    this.#parser.expect(method);
  }

  /** @returns false when the sender is to wait for `drained` */
  send(before: string, chunk: Buffer | undefined, after: string): boolean {
    const socket = this.#socket;
    // One write for all parts, without the detour where there is only one.
    if (before !== '' || after !== '') socket.cork();
    if (before !== '') socket.write(before, 'latin1');
    if (chunk !== undefined) socket.write(chunk);
    if (after !== '') socket.write(after, 'latin1');
    if (before !== '' || after !== '') socket.uncork();
    return socket.writableLength <= MAX_UNSENT_BYTES;
  }

  /** The request is sent in full; without that an answer's end is the end of the connection. */
  requestSent(): void {
    this.#requestDone = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes at once; the user hears nothing more. */
  destroy(): void {
    this.#user = undefined;
    this.#lose(ABANDONED);
  }

  #connected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ready = true;
    this.#user?.connected();
  }

  #read(bytes: number, data: Buffer): void {
    const user = this.#user;
    if (user === undefined || !this.#asked) {
      this.#lose(new UpstreamClosedError('the upstream sent bytes nobody has asked for'));
      return;
    }
    const parser = this.#parser;
    let failure: Error | undefined;
    let taken = bytes;
    try {
      taken = parser.take(data, bytes);
    } catch (error) {
      failure = error as Error;
    }
    if (this.#user === user) user.answerBytes(parser);
    parser.clear();
    if (this.#user !== user) return;
    if (failure !== undefined) this.#lose(failure);
    else if (parser.complete) this.#finish(user, taken === bytes);
  }

  /** The upstream has closed its side. */
  #ended(): void {
    const user = this.#user;
    if (user === undefined) {
      this.#lose(ABANDONED);
      return;
    }
    try {
      this.#parser.end();
    } catch (error) {
      this.#lose(error as Error);
      return;
    }
    this.#finish(user, false);
  }

  #finish(user: ConnectionUser, clean: boolean): void {
    this.#user = undefined;
    const { keepAliveMs, trailers } = this.#parser;
    if (clean && this.#requestDone && keepAliveMs > 0 && !this.#socket.destroyed) {
      if (this.#socket.isPaused()) this.#socket.resume();
      this.#owner.connectionFree(this, keepAliveMs);
    } else {
      this.#lose(ABANDONED);
    }
    user.answerEnd(trailers);
  }

  #lose(error: Error): void {
    clearTimeout(this.#timer);
    this.#ready = false;
    this.#socket.destroy();
    const user = this.#user;
    this.#user = undefined;
    this.#owner.connectionGone(this);
    user?.connectionLost(error);
  }
}

/** Nobody reads it: the connection has no user. */
const ABANDONED = new UpstreamClosedError('the connection is not needed any more');
