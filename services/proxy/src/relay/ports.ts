import type { OwnError } from '../errors.ts';
import type { HeaderView } from './header-view.ts';

/**
 * What the relay needs from the rest of the proxy. The types are structural: the recorder of
 * `@claude-nexus/recording` and a pino logger fit as they are.
 */

/** What is known of an exchange when it is admitted. */
export interface ExchangeStart {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly method: string;
  /** Path with its query, verbatim. */
  readonly path: string;
  readonly domain: string;
  readonly scope: string;
  readonly accountId?: string;
  readonly clientKeyName?: string;
  /** Flat name, value list, as received. */
  readonly headers: string[];
  /** False: a metadata row only, never a body. */
  readonly recordBody: boolean;
}

/**
 * How an exchange ended: `completed` = the whole answer reached the client; `error` = it did, but with a status of
 * 400 and up, or the proxy answered for a failed upstream; `aborted` = the client left; `interrupted` = the answer
 * was cut by the upstream or by the proxy's own time limit or shutdown.
 */
export type Outcome = 'completed' | 'error' | 'aborted' | 'interrupted';

export interface ExchangeEnd {
  readonly outcome: Outcome;
  /** Epoch milliseconds. */
  readonly endedAt: number;
  /** Status sent, or about to be sent, to the client; absent when the client left before there was one. */
  readonly status?: number;
  /** Set for failures the proxy itself answers. */
  readonly errorType?: string;
  readonly errorMessage?: string;
  /** True when the request body did not arrive in full. */
  readonly requestTruncated?: boolean;
}

/** One exchange being recorded. Chunks are handed over by reference and never changed afterwards. */
export interface ExchangeRecording {
  /** Also the `request_id` of errors the proxy answers itself. */
  readonly id: string;
  requestChunk(chunk: Buffer): void;
  /** @returns what to wait for before more of the request is read; undefined: nothing. Never rejects. */
  catchUp(): Promise<void> | undefined;
  requestEnd(): void;
  responseHead(head: { status: number; headers: string[]; at: number }): void;
  /** `at`: arrival, epoch milliseconds. */
  responseChunk(chunk: Buffer, at: number): void;
  /** Resolves once the last byte may be released to the client. Never rejects. */
  end(end: ExchangeEnd): Promise<void>;
}

export interface ExchangeRecorder {
  begin(start: ExchangeStart): ExchangeRecording;
}

/** What access control sees of a request. */
export interface AccessRequest {
  readonly method: string;
  /** Path with its query, verbatim. */
  readonly path: string;
  /** Validated host name of the `Host` header, lower-case, without port. */
  readonly domain: string;
  readonly headers: HeaderView;
}

export interface ForwardDecision {
  readonly kind: 'forward';
  readonly domain: string;
  /** Principal the exchange belongs to: `domain:<domain>` or `account:<hash>`. */
  readonly scope: string;
  readonly accountId?: string;
  readonly clientKeyName?: string;
  /** `strip`: lower-case names not to be sent upstream; `add`: headers sent after those of the client. */
  readonly outboundHeaders: {
    readonly strip: ReadonlySet<string>;
    readonly add: readonly (readonly [name: string, value: string])[];
  };
  readonly recordBody: boolean;
}

/** The own error that is answered instead. */
export interface RefuseDecision extends OwnError {
  readonly kind: 'refuse';
}

export type AccessDecision = ForwardDecision | RefuseDecision;

/** Decides synchronously, from memory, whether and with which credential a request goes upstream. */
export type AccessDecider = (request: AccessRequest) => AccessDecision;

/** Figures of one ended exchange. Times are epoch milliseconds. */
export interface ExchangeSummary {
  readonly outcome: Outcome;
  readonly status: number | undefined;
  readonly errorType: string | undefined;
  readonly domain: string;
  readonly startedAt: number;
  /** Arrival of the upstream's head. */
  readonly headAt: number | undefined;
  readonly endedAt: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export interface RelayMetrics {
  exchangeEnded(summary: ExchangeSummary): void;
  /** A request answered without an exchange: refused access, malformed, draining, overloaded. */
  refused(refusal: { readonly status: number; readonly errorType: string }): void;
}

/** Subset of the logger that the relay uses: the object first, the message second. */
export interface RelayLogger {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
