import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { answerFailure, answerOnSocket, isRefused } from './failure-answer.ts';
import type { Failure } from './failure.ts';
import { errorCode, FAILURES } from './failure.ts';
import { declaredLength, framingFailure } from './framing.ts';
import { HeaderView } from './header-view.ts';
import type { Relay } from './relay.ts';

/** Time limits of the server, in milliseconds. */
interface WireTimeouts {
  /** From the first byte of a request, or the opening of a connection, to the end of the head. */
  readonly headersMs: number;
  /** To the end of the body, however steadily it comes. */
  readonly requestMs: number;
  /** An idle connection; longer than that of clients and load balancers, who must be the ones to close it. */
  readonly keepAliveMs: number;
  /** Reading on after an own error, so that the client sees it. */
  readonly lingerMs: number;
}

const DEFAULT_WIRE_TIMEOUTS: WireTimeouts = {
  headersMs: 30_000,
  requestMs: 900_000,
  keepAliveMs: 630_000,
  lingerMs: 5_000,
};

export interface WireServerOptions {
  readonly relay: Relay;
  /** Answers every request outside `/v1/`. */
  readonly fallback: (req: IncomingMessage, res: ServerResponse) => void;
  readonly timeouts?: Partial<WireTimeouts>;
  /** Bytes of one request head; 64 KiB when absent. */
  readonly maxHeaderBytes?: number;
}

const MAX_HEADER_BYTES = 64 * 1024;

const TCP_PROBE_MS = 30_000;

const BY_CODE: Readonly<Record<string, Failure>> = {
  HPE_HEADER_OVERFLOW: FAILURES.headersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: FAILURES.tooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: FAILURES.slow,
};

/** The proxy's HTTP server. It does not listen yet. */
export function createWireServer(options: WireServerOptions): Server {
  return new WireServer(options).server;
}

class WireServer {
  readonly server: Server;
  readonly #relay: Relay;
  readonly #fallback: WireServerOptions['fallback'];
  readonly #lingerMs: number;
  /** The newest response of each connection: what an error on the connection has to respect. */
  readonly #responses = new WeakMap<Duplex, ServerResponse>();
  readonly #failed = new WeakSet<Duplex>();

  constructor(options: WireServerOptions) {
    const timeouts = { ...DEFAULT_WIRE_TIMEOUTS, ...options.timeouts };
    this.#relay = options.relay;
    this.#fallback = options.fallback;
    this.#lingerMs = timeouts.lingerMs;
    this.server = createServer({
      maxHeaderSize: options.maxHeaderBytes ?? MAX_HEADER_BYTES,
      insecureHTTPParser: false,
      // Checked in framing.ts, to be answered in our shape.
      requireHostHeader: false,
      headersTimeout: timeouts.headersMs,
      requestTimeout: Math.max(timeouts.requestMs, timeouts.headersMs),
      keepAliveTimeout: timeouts.keepAliveMs,
      // A client that vanishes without a word is noticed by the kernel's probes.
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
      connectionsCheckingInterval: Math.max(10, Math.min(2_000, Math.floor(timeouts.headersMs / 4))),
    });
    this.server.on('request', (req, res) => this.#handle(req, res));
    this.server.on('checkContinue', (req, res) => this.#handle(req, res));
    this.server.on('checkExpectation', (req, res) => this.#handle(req, res, FAILURES.expectation));
    this.server.on('clientError', (error, socket) => this.#connectionFailed(error, socket as Socket));
    this.server.on('connect', (_req, socket) => this.#connectRefused(socket as Socket));
  }

  /** @param refusal the answer, where the server has decided already */
  #handle(req: IncomingMessage, res: ServerResponse, refusal?: Failure): void {
    if (isRefused(req.socket)) {
      // Gets no answer: the connection closes with that of the refused request.
      req.resume();
      return;
    }
    this.#responses.set(req.socket, res);
    if (refusal === undefined && req.url?.startsWith('/v1/') === true) {
      this.#relay.handle(req, res);
      return;
    }
    const failure = refusal ?? framingFailure(req, new HeaderView(req.rawHeaders));
    if (failure !== undefined) {
      this.#refuse(req, res, failure);
      return;
    }
    if (req.headers.expect !== undefined && req.httpVersionMinor === 1) res.writeContinue();
    this.#fallback(req, res);
  }

  #refuse(req: IncomingMessage, res: ServerResponse, failure: Failure): void {
    const uploading = declaredLength(new HeaderView(req.rawHeaders)) !== 0;
    answerFailure(req, res, failure, { requestId: randomUUID(), uploading, lingerMs: this.#lingerMs });
  }

  /** The parser or the socket gave a connection up, or a request did not arrive in time. */
  #connectionFailed(error: Error, socket: Socket): void {
    const code = errorCode(error);
    // A client that leaves is no failure; the exchange in progress learns of it from the closed connection.
    const left = code === 'ECONNRESET' || code === 'EPIPE' || code === 'HPE_INVALID_EOF_STATE';
    if (left || socket.readableEnded) {
      socket.destroy();
      return;
    }
    // The parser reports every later byte again, which is how those are swallowed while the client reads its answer.
    if (this.#failed.has(socket)) return;
    this.#failed.add(socket);
    this.#closeFailed(socket, BY_CODE[code] ?? FAILURES.malformed);
  }

  #closeFailed(socket: Socket, failure: Failure): void {
    const res = this.#responses.get(socket);
    if (res === undefined || res.writableFinished) {
      answerOnSocket(socket, failure, { requestId: randomUUID(), lingerMs: this.#lingerMs });
      return;
    }
    if (res.req.complete) {
      // What came after a whole request is wrong: that request is served, nothing after it.
      res.once('finish', () => socket.destroySoon());
      return;
    }
    const forwarding = this.#relay.abandon(res, failure);
    const answer = (): void =>
      answerOnSocket(socket, failure, { requestId: randomUUID(), lingerMs: this.#lingerMs });
    if (!res.headersSent && res.socket !== null) answer();
    else if (!res.headersSent) {
      // An earlier request on the connection is still being answered, and comes first.
      res.once('socket', () => process.nextTick(answer));
    } else if (forwarding) {
      socket.destroy();
    } else {
      // Answered already, most likely with an error that the client has yet to read.
      setTimeout(() => socket.destroy(), this.#lingerMs).unref();
    }
  }

  #connectRefused(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const res = this.#responses.get(socket);
    if (res !== undefined && !res.writableFinished) {
      // Node watches the connection no longer for the requests before this one, and so nobody could answer them in
      // turn or see their client leave.
      this.#relay.abort(socket);
      socket.destroy();
      return;
    }
    socket.resume();
    answerOnSocket(socket, FAILURES.connect, { requestId: randomUUID(), lingerMs: this.#lingerMs });
  }
}
