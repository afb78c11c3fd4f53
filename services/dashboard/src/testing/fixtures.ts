import type { RequestSummary } from '@claude-nexus/api-contract';
import type { StoredBody } from '../store.ts';

/** Start of the tests' time. */
export const START = Date.parse('2026-11-23T12:00:00.000Z');

/** The n-th request id; ids sort as their numbers. */
export function requestId(n: number): string {
  return `019ab000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A completed request, with other values where a test needs them. */
export function summary(n: number, other: Partial<RequestSummary> = {}): RequestSummary {
  return {
    id: requestId(n),
    upstreamRequestId: `req_${n}`,
    upstreamMessageId: `msg_${n}`,
    domain: 'a.example',
    accountId: 'team-a',
    conversationId: null,
    branchId: null,
    parentRequestId: null,
    retryOf: null,
    sessionId: 'session-1',
    agentId: null,
    parentAgentId: null,
    kind: 'main',
    outcome: 'completed',
    status: 200,
    errorType: null,
    model: 'claude-sonnet-5-5',
    stopReason: 'end_turn',
    streaming: true,
    startedAt: new Date(START + n * 1000).toISOString(),
    firstTokenMs: 300,
    durationMs: 900,
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    webSearchRequests: 0,
    costUsd: '0.000105',
    toolCallCount: 0,
    messageCount: 1,
    ...other,
  };
}

/** A stored JSON body. */
export function jsonBody(value: unknown): StoredBody {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return { bytes, encoding: undefined, contentType: 'application/json', complete: true };
}
