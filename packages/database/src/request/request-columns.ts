import type { RequestKind } from '@claude-nexus/domain';

import type { Outcome, RequestForm, ResponseForm } from '../rows.ts';

/** What a list shows of an exchange. Members are undefined when the value is not known. */
export interface RequestSummaryRow {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly domain: string;
  readonly accountId: string | undefined;
  readonly sessionId: string | undefined;
  readonly agentId: string | undefined;
  readonly parentAgentId: string | undefined;
  readonly kind: RequestKind;
  readonly outcome: Outcome;
  readonly status: number | undefined;
  readonly errorType: string | undefined;
  readonly model: string | undefined;
  readonly stopReason: string | undefined;
  readonly streaming: boolean;
  readonly firstTokenMs: number | undefined;
  readonly durationMs: number | undefined;
  readonly upstreamRequestId: string | undefined;
  readonly upstreamMessageId: string | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWrite5mTokens: number | undefined;
  readonly cacheWrite1hTokens: number | undefined;
  readonly webSearchRequests: number | undefined;
  /** Decimal string in USD; undefined when the price is unknown. */
  readonly costUsd: string | undefined;
  readonly toolCallCount: number | undefined;
  readonly messageCount: number | undefined;
}

/** Everything stored of an exchange but its content. Hashes are Buffers of 16 (tree) or 32 bytes (SHA-256). */
export interface StoredRequest extends RequestSummaryRow {
  /** Week its pieces and nodes are in. */
  readonly week: number;
  readonly method: string;
  readonly path: string;
  readonly scope: string;
  readonly clientKeyName: string | undefined;
  readonly promptId: string | undefined;
  readonly requestClass: string | undefined;
  readonly agentType: string | undefined;
  readonly deviceId: string | undefined;
  readonly accountUuid: string | undefined;
  readonly userAgent: string | undefined;
  readonly errorMessage: string | undefined;
  readonly serviceTier: string | undefined;
  readonly inferenceGeo: string | undefined;
  readonly speed: string | undefined;
  readonly webFetchRequests: number | undefined;
  readonly thinkingTokens: number | undefined;
  readonly requestForm: RequestForm;
  readonly requestLength: number;
  readonly requestSha256: Buffer | undefined;
  readonly requestEncoding: string | undefined;
  readonly leafNode: Buffer | undefined;
  readonly headHash: Buffer | undefined;
  readonly tailHash: Buffer | undefined;
  readonly responseForm: ResponseForm;
  readonly responseLength: number;
  readonly responseSha256: Buffer | undefined;
  readonly responseEncoding: string | undefined;
  readonly recorderId: string;
}

/** Member to column of nexus.request; of a summary. */
const SUMMARY_OWN = {
  id: 'id',
  startedAt: 'started_at',
  sessionId: 'session_id',
  agentId: 'agent_id',
  parentAgentId: 'parent_agent_id',
  kind: 'kind',
  outcome: 'outcome',
  status: 'status',
  errorType: 'error_type',
  model: 'model',
  stopReason: 'stop_reason',
  streaming: 'streaming',
  firstTokenMs: 'first_token_ms',
  durationMs: 'duration_ms',
  upstreamRequestId: 'upstream_request_id',
  upstreamMessageId: 'upstream_message_id',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cacheReadTokens: 'cache_read_tokens',
  cacheWrite5mTokens: 'cache_write_5m_tokens',
  cacheWrite1hTokens: 'cache_write_1h_tokens',
  webSearchRequests: 'web_search_requests',
  costUsd: 'cost_usd',
  toolCallCount: 'tool_call_count',
  messageCount: 'message_count',
} as const;

const SUMMARY_SOURCE = { domain: 'domain', accountId: 'account_id' } as const;

const DETAIL_OWN = {
  method: 'method',
  path: 'path',
  promptId: 'prompt_id',
  requestClass: 'request_class',
  agentType: 'agent_type',
  errorMessage: 'error_message',
  serviceTier: 'service_tier',
  inferenceGeo: 'inference_geo',
  speed: 'speed',
  webFetchRequests: 'web_fetch_requests',
  thinkingTokens: 'thinking_tokens',
  requestForm: 'request_form',
  requestLength: 'request_length',
  requestSha256: 'request_sha256',
  requestEncoding: 'request_encoding',
  leafNode: 'leaf_node',
  headHash: 'head_hash',
  tailHash: 'tail_hash',
  responseForm: 'response_form',
  responseLength: 'response_length',
  responseSha256: 'response_sha256',
  responseEncoding: 'response_encoding',
} as const;

const DETAIL_SOURCE = {
  scope: 'scope',
  clientKeyName: 'client_key_name',
  deviceId: 'device_id',
  accountUuid: 'account_uuid',
  userAgent: 'user_agent',
  recorderId: 'recorder_id',
} as const;

const selectList = (alias: string, columns: Readonly<Record<string, string>>): string =>
  Object.entries(columns)
    .map(([member, column]) => `${alias}.${column} as "${member}"`)
    .join(', ');

/** Select list of a summary, from a request named `r` and its source named `s`. */
export const SUMMARY_COLUMNS = `${selectList('r', SUMMARY_OWN)}, ${selectList('s', SUMMARY_SOURCE)}`;

/** Select list of everything, likewise. */
export const REQUEST_COLUMNS = `${SUMMARY_COLUMNS}, ${selectList('r', DETAIL_OWN)}, ${selectList('s', DETAIL_SOURCE)}`;

/** A row as pg gives it: members named as ours, SQL NULL as null. */
export type NullableMembers<T> = {
  [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};

/** @returns the row with SQL NULLs as undefined */
export function withoutNulls<T extends object>(row: NullableMembers<T>): T {
  return Object.fromEntries(
    Object.entries(row as Record<string, unknown>).map(([member, value]) => [member, value ?? undefined]),
  ) as T;
}
