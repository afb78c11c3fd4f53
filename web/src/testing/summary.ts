import type { RequestSummary } from '@claude-nexus/api-contract';

/** A request summary for tests: a completed main request, with members replaced as given. */
export function summary(members: Partial<RequestSummary> = {}): RequestSummary {
  return {
    id: '0193a1b2-0000-7000-8000-000000000000',
    upstreamRequestId: 'req_1',
    upstreamMessageId: 'msg_1',
    domain: 'localhost',
    accountId: null,
    conversationId: null,
    branchId: null,
    parentRequestId: null,
    retryOf: null,
    sessionId: null,
    agentId: null,
    parentAgentId: null,
    kind: 'main',
    outcome: 'completed',
    status: 200,
    errorType: null,
    model: 'claude-opus-5-5',
    stopReason: 'end_turn',
    streaming: true,
    startedAt: '2026-11-23T12:00:00.000Z',
    firstTokenMs: 400,
    durationMs: 2100,
    inputTokens: 12,
    outputTokens: 345,
    cacheReadTokens: 6789,
    cacheWrite5mTokens: 10,
    cacheWrite1hTokens: 0,
    webSearchRequests: 0,
    costUsd: '0.0123',
    toolCallCount: 1,
    messageCount: 3,
    ...members,
  };
}
