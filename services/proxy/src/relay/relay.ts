import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { parseHost } from '../host.ts';
import type { ExchangeCall, ExchangeHost } from './exchange.ts';
import { Exchange } from './exchange.ts';
import { answerFailure } from './failure-answer.ts';
import type { Failure } from './failure.ts';
import { FAILURES } from './failure.ts';
import { declaredLength, framingFailure } from './framing.ts';
import { HeaderView } from './header-view.ts';
import type {
  AccessDecider,
  AccessDecision,
  AccessRequest,
  ExchangeRecorder,
  ExchangeSummary,
  ForwardDecision,
  RelayLogger,
  RelayMetrics,
} from './ports.ts';
import type { RelayTimeouts } from './timeouts.ts';
import { checkInterval, DEFAULT_TIMEOUTS } from './timeouts.ts';
import { UpstreamPool } from './upstream/pool.ts';

/** Largest request body the Messages API takes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface RelayOptions {
  /** Address of the Messages API; a path is put before that of each request. */
  readonly upstream: URL;
  readonly recorder: ExchangeRecorder;
  readonly access: AccessDecider;
  readonly logger: RelayLogger;
  readonly metrics?: RelayMetrics;
  /** Bytes of one request body; 32 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Body bytes of all exchanges in progress; no limit when absent. */
  readonly maxInflightBytes?: number;
  readonly timeouts?: Partial<RelayTimeouts>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Byte-transparent forwarding of `/v1/*` to the upstream, recording each exchange. */
export interface Relay {
  handle(req: IncomingMessage, res: ServerResponse): void;
  /**
   * The connection of `res` has failed and is answered as a whole: records the failure and gives the upstream up.
   *
   * @returns false when no exchange of that response is in progress
   */
  abandon(res: ServerResponse, failure: Failure): boolean;
  /** The connection is about to be closed, and Node will not tell its responses: ends the exchanges on it. */
  abort(socket: Socket): void;
  /** From now on new requests are answered 503; those in progress go on. */
  drain(): void;
  /** Exchanges in progress. */
  inflight(): number;
  /** Resolves as soon as no exchange is in progress. */
  idle(): Promise<void>;
  /** Ends what is still in progress and closes the connections to the upstream. */
  close(): Promise<void>;
}

export function createRelay(options: RelayOptions): Relay {
  return new ExchangeRelay(options);
}

class ExchangeRelay implements Relay, ExchangeHost {
  readonly upstream: UpstreamPool;
  readonly pathPrefix: string;
  readonly recorder: ExchangeRecorder;
  readonly timeouts: RelayTimeouts;
  readonly maxBodyBytes: number;
  readonly logger: RelayLogger;
  readonly now: () => number;
  draining = false;
  readonly #access: AccessDecider;
  readonly #metrics: RelayMetrics | undefined;
  readonly #maxInflightBytes: number;
  readonly #exchanges = new Map<ServerResponse, Exchange>();
  readonly #clock: NodeJS.Timeout;
  #inflightBytes = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(options: RelayOptions) {
    this.timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.pathPrefix = options.upstream.pathname.replace(/\/+$/, '');
    this.recorder = options.recorder;
    this.maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
    this.logger = options.logger;
    this.now = options.now ?? Date.now;
    this.upstream = new UpstreamPool({
      origin: options.upstream,
      connectMs: this.timeouts.connectMs,
      now: this.now,
    });
    this.#access = options.access;
    this.#metrics = options.metrics;
    this.#maxInflightBytes = options.maxInflightBytes ?? Number.POSITIVE_INFINITY;
    this.#clock = setInterval(() => this.#checkTimes(), checkInterval(this.timeouts));
    this.#clock.unref();
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
    const headers = new HeaderView(req.rawHeaders);
    const length = declaredLength(headers);
    const decision = this.#admit(req, headers);
    if ('shouldRetry' in decision) {
      this.#refuse(req, res, { failure: decision, uploading: length !== 0 });
      return;
    }
    const call = { req, res, headers, decision, declaredLength: length };
    if (length !== undefined && length > this.maxBodyBytes) {
      this.#begin(call).fail(FAILURES.tooLarge);
    } else if (this.#makeRoom(length ?? 0)) {
      this.#begin(call).start();
    } else {
      this.#refuse(req, res, { failure: FAILURES.overloaded, uploading: length !== 0 });
    }
  }

  abandon(res: ServerResponse, failure: Failure): boolean {
    return this.#exchanges.get(res)?.abandon(failure) ?? false;
  }

  abort(socket: Socket): void {
    for (const [res, exchange] of this.#exchanges) {
      if (res.req.socket === socket) exchange.clientLeft();
    }
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (const res of this.#exchanges.keys()) {
      // Its head said that the connection stays; the next request on it would be refused.
      if (res.headersSent) res.once('finish', () => res.req.socket.destroySoon());
    }
  }

  inflight(): number {
    return this.#exchanges.size;
  }

  idle(): Promise<void> {
    if (this.#exchanges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  async close(): Promise<void> {
    this.drain();
    for (const exchange of this.#exchanges.values()) exchange.stop();
    await this.idle();
    clearInterval(this.#clock);
    this.upstream.close();
  }

  takeBytes(bytes: number, exchange: Exchange): boolean {
    if (!this.#makeRoom(bytes, exchange)) return false;
    this.#inflightBytes += bytes;
    return true;
  }

  ended(exchange: Exchange, summary: ExchangeSummary): void {
    this.#exchanges.delete(exchange.response);
    this.#inflightBytes -= exchange.countedBytes;
    this.#metrics?.exchangeEnded(summary);
    if (this.#exchanges.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #hasRoom(bytes: number): boolean {
    return this.#inflightBytes + bytes <= this.#maxInflightBytes;
  }

  /**
   * Room for so many bytes, if need be that of uploads that are behind, the furthest first: a client that stalls must
   * not keep others out. One that keeps up is never ended for them.
   */
  #makeRoom(bytes: number, asker?: Exchange): boolean {
    if (bytes > this.#maxInflightBytes) return false;
    while (!this.#hasRoom(bytes)) {
      const last = this.#furthestBehind(asker);
      if (last === undefined) return false;
      this.logger.warn({ inflightBytes: this.#inflightBytes }, 'a stalled upload is ended to make room');
      this.#inflightBytes -= last.yieldRoom();
    }
    return true;
  }

  #furthestBehind(asker: Exchange | undefined): Exchange | undefined {
    const now = this.now();
    let last: Exchange | undefined;
    let longest = 0;
    for (const exchange of this.#exchanges.values()) {
      const behind = exchange === asker ? 0 : exchange.behindMs(now);
      if (behind <= longest) continue;
      longest = behind;
      last = exchange;
    }
    return last;
  }

  #begin(call: ExchangeCall): Exchange {
    const exchange = new Exchange(this, call);
    this.#exchanges.set(call.res, exchange);
    return exchange;
  }

  /** What becomes of the request by its head alone: how it is forwarded, or why it is not. */
  #admit(req: IncomingMessage, headers: HeaderView): ForwardDecision | Failure {
    const failure = framingFailure(req, headers);
    if (failure !== undefined) return failure;
    if (this.draining) return FAILURES.draining;
    const domain = parseHost(headers.get('host') ?? '')?.domain;
    if (domain === undefined) return FAILURES.host;
    const decision = this.#decide({ method: req.method ?? 'GET', path: req.url ?? '/', domain, headers });
    return decision;
  }

  #decide(request: AccessRequest): AccessDecision {
    try {
      return this.#access(request);
    } catch (error) {
      // A bug there must neither open the door nor take the process down.
      this.logger.error({ err: error }, 'access decision failed');
      return { kind: 'refuse', ...FAILURES.internal };
    }
  }

  #refuse(
    req: IncomingMessage,
    res: ServerResponse,
    { failure, uploading }: { failure: Failure; uploading: boolean },
  ): void {
    const { lingerMs } = this.timeouts;
    answerFailure(req, res, failure, { requestId: randomUUID(), uploading, lingerMs });
    this.#metrics?.refused({ status: failure.status, errorType: failure.errorType });
  }

  #checkTimes(): void {
    const now = this.now();
    for (const exchange of this.#exchanges.values()) exchange.checkTime(now);
    this.upstream.closeIdle();
  }
}
