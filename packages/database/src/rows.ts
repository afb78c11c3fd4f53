import type { RequestKind } from '@claude-nexus/domain';
import type { Usage } from '@claude-nexus/protocol';

/** How an exchange ended; `pending` while it is open. */
export type Outcome = 'pending' | 'completed' | 'error' | 'aborted' | 'interrupted';

/** How a request body is stored: as a path in the prefix tree, as one recipe, as the part that arrived, or not. */
export type RequestForm = 'none' | 'tree' | 'whole' | 'partial';

/** How an answer is stored: its bytes, the message a stream amounts to, the raw bytes of a cut stream, or not. */
export type ResponseForm = 'none' | 'exact' | 'message' | 'raw';

/** What of an exchange: 0 the request, 1 the response, 2 both. */
export type Part = 0 | 1 | 2;

/** Compressed new bytes of one part of an exchange. */
export interface FrameRow {
  readonly requestId: string;
  readonly part: Part;
  readonly data: Buffer;
  /** Request, of the same week, whose frame of the same part is needed to decompress this one. */
  readonly base?: string | undefined;
}

/** Where the bytes of a piece are: a range of a frame's decompressed content. */
export interface PieceRow {
  readonly week: number;
  /** 16 bytes. */
  readonly hash: Buffer;
  readonly requestId: string;
  readonly part: Part;
  readonly offset: number;
  readonly length: number;
}

/** A message in the prefix tree of a week. Hashes and chains are 16 bytes; of the chains the first 8 are stored. */
export interface NodeRow {
  readonly week: number;
  readonly hash: Buffer;
  /** Undefined for the first message. */
  readonly parent: Buffer | undefined;
  readonly depth: number;
  readonly strictChain: Buffer;
  readonly looseChain: Buffer;
  readonly recipe: Buffer;
}

/** Who sent a request. Over-long texts are cut. */
export interface RequestIdentity {
  readonly sessionId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly parentAgentId?: string | undefined;
  readonly promptId?: string | undefined;
  readonly requestClass?: string | undefined;
  readonly agentType?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly accountUuid?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** One exchange. A later state replaces an earlier one: pending, then final. */
export interface RequestRow extends RequestIdentity {
  /** UUIDv7. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly domain: string;
  /** `domain:<domain>` or `account:<hash>`. */
  readonly scope: string;
  readonly accountId?: string | undefined;
  readonly clientKeyName?: string | undefined;
  readonly kind: RequestKind;
  readonly outcome: Outcome;
  readonly status?: number | undefined;
  readonly errorType?: string | undefined;
  readonly errorMessage?: string | undefined;
  readonly model?: string | undefined;
  readonly stopReason?: string | undefined;
  readonly streaming: boolean;
  readonly firstTokenMs?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly upstreamRequestId?: string | undefined;
  readonly upstreamMessageId?: string | undefined;
  readonly usage?: Usage | undefined;
  /** Decimal string; undefined when the price is unknown. */
  readonly costUsd?: string | undefined;
  readonly toolCallCount?: number | undefined;
  readonly messageCount?: number | undefined;
  readonly requestForm: RequestForm;
  /** Bytes on the wire. */
  readonly requestLength: number;
  /** 32 bytes. */
  readonly requestSha256?: Buffer | undefined;
  readonly requestEncoding?: string | undefined;
  readonly leafNode?: Buffer | undefined;
  readonly headHash?: Buffer | undefined;
  readonly tailHash?: Buffer | undefined;
  readonly responseForm: ResponseForm;
  readonly responseLength: number;
  readonly responseSha256?: Buffer | undefined;
  readonly responseEncoding?: string | undefined;
  readonly recorderId: string;
}

/** What a recorder writes in one transaction. */
export interface CommitBatch {
  readonly frames: readonly FrameRow[];
  readonly pieces: readonly PieceRow[];
  readonly nodes: readonly NodeRow[];
  readonly requests: readonly RequestRow[];
  /** Shown by the dashboard; `stats` must be JSON. */
  readonly recorder: { readonly id: string; readonly stats: Readonly<Record<string, unknown>> };
}
