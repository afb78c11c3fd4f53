import type { Identity, RequestKind } from '@claude-nexus/domain';
import type { AssembledMessage, Usage } from '@claude-nexus/protocol';
import type { CutBody, CutResponse } from '../store/index.ts';
import type { JournalExchange, StoredHeaders } from '../journal/types.ts';

/** What the request alone tells; known before the answer. */
export interface DecodedRequest {
  identity: Identity;
  kind: RequestKind;
  /** Week of the exchange's id: the de-duplication scope of its pieces. */
  week: number;
  headers: StoredHeaders;
  /** undefined where no body was recorded. */
  body: CutBody | undefined;
  /** Whether the body arrived in full. */
  complete: boolean;
  /** Bytes received, also where the body was not recorded. */
  length: number;
  contentEncoding: string | undefined;
  userAgent: string | undefined;
  /** Model and stream flag as asked for. */
  model: string | undefined;
  streaming: boolean;
  messageCount: number | undefined;
}

/** What the answer tells. */
export interface DecodedResponse {
  headers: StoredHeaders;
  contentEncoding: string | undefined;
  upstreamRequestId: string | undefined;
  /** The answer was an event stream. */
  streamed: boolean;
  message: AssembledMessage | undefined;
  usage: Usage | undefined;
  /** Milliseconds from the start of the exchange to the first content of a stream. */
  firstTokenMs: number | undefined;
  /** `message`: the stream's complete message; `exact`: the bytes as sent; `raw`: both of a stream not understood. */
  form: 'none' | 'exact' | 'message' | 'raw';
  /** Bytes received from the upstream. */
  length: number;
  /** Cut of what is stored as the body. */
  body: CutResponse | undefined;
  /** The bytes on the wire, kept when a stream was cut or invalid. */
  raw: Buffer | undefined;
  /** Arrival of chunks, flat: milliseconds after the start, byte length. */
  chunks: readonly number[];
}

/** One exchange, decoded: everything downstream (rows, usage, cost, metrics) is a function of this value. */
export interface Exchange {
  source: JournalExchange;
  request: DecodedRequest;
  /** undefined while the exchange is open. */
  response: DecodedResponse | undefined;
}
