import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AnswerSource } from './answer-writer.ts';
import { AnswerWriter } from './answer-writer.ts';
import { answerHead, requestHeaders } from './end-to-end-headers.ts';
import { answerFailure, lingerThen } from './failure-answer.ts';
import type { Failure } from './failure.ts';
import { errorCode, FAILURES, upstreamFailure } from './failure.ts';
import type { HeaderView } from './header-view.ts';
import { forwardInformation } from './information.ts';
import type {
  ExchangeEnd,
  ExchangeRecorder,
  ExchangeRecording,
  ExchangeSummary,
  ForwardDecision,
  Outcome,
  RelayLogger,
} from './ports.ts';
import type { RelayTimeouts } from './timeouts.ts';
import type { UploadTap } from './upload.ts';
import { UploadPace } from './upload-pace.ts';
import { Upload } from './upload.ts';
import type { UpstreamHead } from './upstream/answer-head.ts';
import type { BodyBytes } from './upstream/answer-parser.ts';
import type { AnswerHandler, UpstreamCall } from './upstream/call.ts';
import type { UpstreamPool } from './upstream/pool.ts';

/** What the exchanges of one relay share. */
export interface ExchangeHost {
  readonly upstream: Pick<UpstreamPool, 'send'>;
  /** Path of the upstream's address, put before that of the request; empty for most. */
  readonly pathPrefix: string;
  readonly recorder: ExchangeRecorder;
  readonly timeouts: RelayTimeouts;
  readonly maxBodyBytes: number;
  readonly logger: RelayLogger;
  readonly draining: boolean;
  now(): number;
  /** Counts body bytes of this exchange in; false when there is no room for them. */
  takeBytes(bytes: number, exchange: Exchange): boolean;
  ended(exchange: Exchange, summary: ExchangeSummary): void;
}

/** One admitted request. */
export interface ExchangeCall {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: HeaderView;
  readonly decision: ForwardDecision;
  /** Bytes of the body as announced; undefined for a chunked one. */
  readonly declaredLength: number | undefined;
}

/**
 * One request and its answer. It goes upstream exactly once; whatever happens, exactly one end is recorded, and the
 * side that is still there learns of it at once:
 *
 * | event | client | upstream | outcome |
 * |---|---|---|---|
 * | whole answer | released when recorded | | `completed`, from status 400 `error` |
 * | failure before the head | own error | aborted | `error` |
 * | failure after the head | cut | aborted | `interrupted` |
 * | client leaves | | aborted | `aborted` |
 */
export class Exchange implements AnswerHandler, UploadTap, AnswerSource {
  readonly #host: ExchangeHost;
  readonly #call: ExchangeCall;
  readonly #recording: ExchangeRecording;
  readonly #writer: AnswerWriter;
  readonly #startedAt: number;
  readonly #pace: UploadPace;
  #upload: Upload | undefined;
  #uploadDone: boolean;
  #upstream: UpstreamCall | undefined;
  #status: number | undefined;
  #eventStream = false;
  #headAt: number | undefined;
  #lastActivity: number;
  #clientBlocked = false;
  #requestBytes = 0;
  #countedBytes = 0;
  #responseBytes = 0;
  #over = false;

  constructor(host: ExchangeHost, call: ExchangeCall) {
    this.#host = host;
    this.#call = call;
    this.#startedAt = host.now();
    this.#lastActivity = this.#startedAt;
    this.#pace = new UploadPace(host.timeouts.uploadGraceMs, this.#startedAt);
    this.#uploadDone = call.declaredLength === 0;
    this.#writer = new AnswerWriter(call.res, this);
    this.#recording = host.recorder.begin(startOf(call, this.#startedAt));
  }

  get response(): ServerResponse {
    return this.#call.res;
  }

  /** Body bytes this exchange has counted in; its owner counts them out at its end. */
  get countedBytes(): number {
    return this.#countedBytes;
  }

  /** Positive: the client holds room for a body and is behind with it for so many milliseconds. */
  behindMs(now: number): number {
    const sending = !this.#over && !this.#uploadDone && this.#headAt === undefined;
    if (!sending || this.#countedBytes === 0 || this.#upload?.blocked === true) return 0;
    return this.#pace.behindMs(now);
  }

  /** Ends an upload that is behind, because others need the room. @returns the bytes it held */
  yieldRoom(): number {
    const bytes = this.#countedBytes;
    this.#countedBytes = 0;
    this.fail(FAILURES.slow);
    return bytes;
  }

  /** Sends the request upstream and starts reading its body. */
  start(): void {
    const { req, res, headers, decision, declaredLength } = this.#call;
    res.once('close', () => this.clientLeft());
    if (this.#uploadDone) this.#recording.requestEnd();
    else this.#upload = new Upload(req, this);
    if (req.httpVersionMinor === 1 && headers.names.includes('expect')) res.writeContinue();
    const request = {
      method: req.method ?? 'GET',
      path: this.#host.pathPrefix + (req.url ?? '/'),
      headers: requestHeaders(headers, decision.outboundHeaders),
      length: declaredLength,
    };
    try {
      this.#upstream = this.#host.upstream.send(request, this);
    } catch (error) {
      this.upstreamFailed(error as Error);
    }
  }

  /** Answers with an own error instead of the upstream's answer, and records that. */
  fail(failure: Failure): void {
    if (this.#over) return;
    if (this.#headAt !== undefined) {
      this.#interrupt();
      return;
    }
    this.#conclude({ outcome: 'error', failure, after: () => this.#answerFailure(failure) });
    this.#abortUpstream();
  }

  /** Ends without an answer: the connection has failed with `failure` and is being answered as a whole. */
  abandon(failure: Failure): boolean {
    if (this.#over) return false;
    this.#conclude({ outcome: 'error', failure });
    this.#abortUpstream();
    return true;
  }

  /** Ends because nobody is there to take the answer. */
  clientLeft(): void {
    if (this.#over) return;
    this.#conclude({ outcome: 'aborted' });
    this.#abortUpstream();
  }

  /** Ends because the relay closes. */
  stop(): void {
    this.fail(FAILURES.draining);
  }

  /** Applies the time limits; called every now and then instead of keeping timers per request. */
  checkTime(now: number): void {
    if (this.#over) return;
    const { uploadIdleMs, answerMs, streamMs } = this.#host.timeouts;
    const idle = now - this.#lastActivity;
    if (now - this.#startedAt > streamMs) this.fail(FAILURES.silent);
    else if (this.#headAt !== undefined) {
      if (idle > answerMs && !this.#eventStream && !this.#clientBlocked) this.#interrupt();
    } else if (this.#uploadDone || this.#upload?.blocked === true) {
      if (idle > answerMs) this.fail(FAILURES.silent);
    } else if (idle > uploadIdleMs) this.fail(FAILURES.slow);
  }

  // The client's side

  uploadChunk(chunk: Buffer): boolean {
    this.#lastActivity = this.#host.now();
    this.#requestBytes += chunk.length;
    if (this.#over) return true;
    this.#pace.came(chunk.length, this.#lastActivity);
    const failure = this.#sizeFailure(chunk.length);
    if (failure !== undefined) {
      this.fail(failure);
      return true;
    }
    this.#recording.requestChunk(chunk);
    const caughtUp = this.#recording.catchUp();
    if (caughtUp !== undefined) this.#upload?.hold(caughtUp);
    return this.#upstream?.write(chunk) ?? true;
  }

  uploadEnd(): void {
    this.#uploadDone = true;
    this.#lastActivity = this.#host.now();
    if (this.#over) return;
    this.#recording.requestEnd();
    this.#upstream?.end();
  }

  uploadResumed(): void {
    this.#lastActivity = this.#host.now();
    this.#pace.excuse(this.#lastActivity);
  }

  delivered(chunk: Buffer): void {
    this.#lastActivity = this.#host.now();
    this.#responseBytes += chunk.length;
    if (!this.#over) this.#recording.responseChunk(chunk, this.#lastActivity);
  }

  pause(): void {
    if (this.#clientBlocked || this.#over) return;
    this.#clientBlocked = true;
    this.#upstream?.pause();
    this.#call.res.once('drain', () => {
      this.#clientBlocked = false;
      this.#lastActivity = this.#host.now();
      this.#upstream?.resume();
    });
  }

  // The upstream's side

  uploadDrained(): void {
    this.#upload?.resume();
  }

  answerHead(head: UpstreamHead): void {
    const { status, statusText } = head;
    const { req, res } = this.#call;
    if (status < 200) {
      forwardInformation(req, res, head);
      return;
    }
    const bodyless = req.method === 'HEAD' || status === 204 || status === 304;
    const kept = answerHead(head.headers, !bodyless && req.httpVersionMinor === 1);
    this.#status = status;
    this.#eventStream = kept.eventStream;
    this.#headAt = this.#lastActivity = this.#host.now();
    this.#recording.responseHead({ status, headers: kept.headers, at: this.#headAt });
    const headers = this.#host.draining ? [...kept.headers, 'connection', 'close'] : kept.headers;
    this.#writer.begin({ status, statusText, headers, length: kept.length, bodyless });
  }

  answerBytes(body: BodyBytes): void {
    this.#writer.push(body);
  }

  answerEnd(trailers: readonly string[]): void {
    if (this.#over) return;
    const outcome = (this.#status ?? 0) >= 400 ? 'error' : 'completed';
    this.#conclude({ outcome, after: () => this.#release(trailers) });
    this.#dropUpload();
  }

  upstreamFailed(error: Error): void {
    if (this.#over) return;
    const failure = upstreamFailure(error);
    const { domain } = this.#call.decision;
    const fields = { code: errorCode(error), status: this.#status, requestId: this.#recording.id, domain };
    this.#host.logger.warn(fields, 'upstream failed');
    this.fail(failure);
  }

  // Endings

  /** Counts what has come: what is only announced takes no memory, and could be announced by anybody. */
  #sizeFailure(bytes: number): Failure | undefined {
    if (this.#requestBytes > this.#host.maxBodyBytes) return FAILURES.tooLarge;
    if (!this.#host.takeBytes(bytes, this)) return FAILURES.overloaded;
    this.#countedBytes += bytes;
    return undefined;
  }

  #interrupt(): void {
    this.#conclude({ outcome: 'interrupted' });
    this.#abortUpstream();
    this.#writer.cut(this.#host.timeouts.lingerMs);
  }

  #abortUpstream(): void {
    this.#upstream?.abort();
    this.#dropUpload();
  }

  #dropUpload(): void {
    if (!this.#uploadDone) this.#upload?.drop();
  }

  #release(trailers: readonly string[]): void {
    const { req, res } = this.#call;
    this.#writer.release(trailers);
    if (this.#uploadDone || res.destroyed) return;
    // The answer came early. The rest of the upload is read and thrown away, or the client might not see the answer.
    const { socket } = req;
    lingerThen(req, this.#host.timeouts.lingerMs, () => {
      if (!req.complete) socket.destroySoon();
    });
  }

  #answerFailure(failure: Failure): void {
    const { req, res } = this.#call;
    const { lingerMs } = this.#host.timeouts;
    answerFailure(req, res, failure, { requestId: this.#recording.id, uploading: !req.complete, lingerMs });
  }

  /** Records the end; the client gets what is left for it, `after`, once that is done. */
  #conclude({ outcome, failure, after }: Ending): void {
    this.#over = true;
    const endedAt = this.#host.now();
    const status = failure?.status ?? this.#status;
    const end: { -readonly [K in keyof ExchangeEnd]: ExchangeEnd[K] } = { outcome, endedAt };
    if (status !== undefined) end.status = status;
    if (failure !== undefined) {
      end.errorType = failure.errorType;
      end.errorMessage = failure.message;
    }
    if (!this.#uploadDone) end.requestTruncated = true;
    const leave = (): void => {
      after?.();
      this.#host.ended(this, this.#summary(end));
    };
    this.#recording.end(end).then(leave, leave);
  }

  #summary(end: ExchangeEnd): ExchangeSummary {
    return {
      outcome: end.outcome,
      status: end.status,
      errorType: end.errorType,
      domain: this.#call.decision.domain,
      startedAt: this.#startedAt,
      headAt: this.#headAt,
      endedAt: end.endedAt,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
    };
  }
}

interface Ending {
  readonly outcome: Outcome;
  /** The own error that is answered. */
  readonly failure?: Failure;
  readonly after?: () => void;
}

function startOf(call: ExchangeCall, startedAt: number): Parameters<ExchangeRecorder['begin']>[0] {
  const { req, headers, decision } = call;
  return {
    startedAt,
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    domain: decision.domain,
    scope: decision.scope,
    ...(decision.accountId === undefined ? {} : { accountId: decision.accountId }),
    ...(decision.clientKeyName === undefined ? {} : { clientKeyName: decision.clientKeyName }),
    headers: headers.raw,
    recordBody: decision.recordBody,
  };
}
