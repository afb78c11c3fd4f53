import { latencyBucket } from '@claude-nexus/domain';

import type { RequestRow } from '../rows.ts';
import { cleanCount, cleanDecimal, cleanText, hashText } from './clean-values.ts';
import { InvalidRowError } from './errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/v;
const SMALLINT_MAX = 32_767;
/** Furthest date of JavaScript's own; PostgreSQL goes further. */
const MAX_TIME = 8.64e15;

/** Lengths texts are cut to. What is indexed has to fit an index entry, in UTF-8, with all of its key. */
const ID = 200;
const LABEL = 100;
const MESSAGE = 4000;
const PATH = 4000;

/** @returns `id` if it is a UUID in lower case. @throws InvalidRowError */
export function checkedId(id: string, field: string): string {
  if (UUID.test(id)) return id;
  throw new InvalidRowError(field, 'a UUID in lower case');
}

/**
 * @returns the row as the JSON object `nexus.commit_exchanges` reads, members named like the columns
 * @throws InvalidRowError when there is no sensible way to store it
 */
export function requestRecord(row: RequestRow): Record<string, unknown> {
  if (!(Math.abs(row.startedAt) <= MAX_TIME))
    throw new InvalidRowError('startedAt', 'a time in milliseconds');
  return {
    id: checkedId(row.id, 'id'),
    started_at: new Date(row.startedAt).toISOString(),
    source: sourceRecord(row),
    method: cleanText(row.method, LABEL),
    path: cleanText(row.path, PATH),
    kind: row.kind,
    outcome: row.outcome,
    streaming: row.streaming,
    session_id: cleanText(row.sessionId, ID),
    agent_id: cleanText(row.agentId, ID),
    parent_agent_id: cleanText(row.parentAgentId, ID),
    prompt_id: cleanText(row.promptId, ID),
    request_class: cleanText(row.requestClass, LABEL),
    agent_type: cleanText(row.agentType, LABEL),
    message_count: cleanCount(row.messageCount),
    ...answerRecord(row),
    ...measures(row),
    ...usageRecord(row),
    ...bodyRecord(row),
  };
}

/** What repeats over all requests of a client. */
function sourceRecord(row: RequestRow): Record<string, unknown> {
  return {
    domain: cleanText(row.domain, 253),
    scope: cleanText(row.scope, ID),
    account_id: cleanText(row.accountId, ID),
    client_key_name: cleanText(row.clientKeyName, ID),
    device_id: cleanText(row.deviceId, ID),
    account_uuid: cleanText(row.accountUuid, ID),
    user_agent: cleanText(row.userAgent, 500),
    recorder_id: cleanText(row.recorderId, ID),
  };
}

function answerRecord(row: RequestRow): Record<string, unknown> {
  return {
    status: cleanCount(row.status, SMALLINT_MAX),
    error_type: cleanText(row.errorType, LABEL),
    error_message: cleanText(row.errorMessage, MESSAGE),
    model: cleanText(row.model, ID),
    stop_reason: cleanText(row.stopReason, LABEL),
    upstream_request_id: cleanText(row.upstreamRequestId, ID),
    upstream_message_id: cleanText(row.upstreamMessageId, ID),
    tool_call_count: cleanCount(row.toolCallCount),
  };
}

function measures(row: RequestRow): Record<string, unknown> {
  const speed = outputSpeed(row);
  return {
    first_token_ms: cleanCount(row.firstTokenMs),
    duration_ms: cleanCount(row.durationMs),
    first_token_bucket: row.firstTokenMs === undefined ? undefined : latencyBucket(row.firstTokenMs),
    duration_bucket: row.durationMs === undefined ? undefined : latencyBucket(row.durationMs),
    speed_bucket: speed === undefined ? undefined : latencyBucket(speed),
  };
}

/** Thousandths of an output token per second, after the first; undefined where that says nothing. */
function outputSpeed({ usage, firstTokenMs, durationMs }: RequestRow): number | undefined {
  if (usage === undefined || firstTokenMs === undefined || durationMs === undefined) return undefined;
  const elapsed = durationMs - firstTokenMs;
  return elapsed > 0 && usage.outputTokens > 0 ? (usage.outputTokens * 1_000_000) / elapsed : undefined;
}

function usageRecord({ usage, costUsd }: RequestRow): Record<string, unknown> {
  if (usage === undefined) return { cost_usd: cleanDecimal(costUsd) };
  return {
    input_tokens: cleanCount(usage.inputTokens),
    output_tokens: cleanCount(usage.outputTokens),
    cache_read_tokens: cleanCount(usage.cacheReadTokens),
    cache_write_5m_tokens: cleanCount(usage.cacheWrite5mTokens),
    cache_write_1h_tokens: cleanCount(usage.cacheWrite1hTokens),
    web_search_requests: cleanCount(usage.webSearchRequests),
    web_fetch_requests: cleanCount(usage.webFetchRequests),
    thinking_tokens: cleanCount(usage.thinkingTokens),
    service_tier: cleanText(usage.serviceTier, LABEL),
    inference_geo: cleanText(usage.inferenceGeo, LABEL),
    speed: cleanText(usage.speed, LABEL),
    cost_usd: cleanDecimal(costUsd),
  };
}

function bodyRecord(row: RequestRow): Record<string, unknown> {
  return {
    request_form: row.requestForm,
    request_length: cleanCount(row.requestLength) ?? 0,
    request_sha256: hashText(row.requestSha256, 32, 'requestSha256'),
    request_encoding: cleanText(row.requestEncoding, LABEL),
    leaf_node: hashText(row.leafNode, 16, 'leafNode'),
    head_hash: hashText(row.headHash, 16, 'headHash'),
    tail_hash: hashText(row.tailHash, 16, 'tailHash'),
    response_form: row.responseForm,
    response_length: cleanCount(row.responseLength) ?? 0,
    response_sha256: hashText(row.responseSha256, 32, 'responseSha256'),
    response_encoding: cleanText(row.responseEncoding, LABEL),
  };
}
