import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { RequestListQuery, RequestSummary } from './requests.ts';

const MEMBERS =
  'id upstreamRequestId upstreamMessageId domain accountId conversationId branchId parentRequestId retryOf sessionId ' +
  'agentId parentAgentId kind outcome status errorType model stopReason streaming startedAt firstTokenMs durationMs ' +
  'inputTokens outputTokens cacheReadTokens cacheWrite5mTokens cacheWrite1hTokens webSearchRequests costUsd ' +
  'toolCallCount messageCount';

describe('RequestSummary', () => {
  it('has the members the design names, each of them always', () => {
    expect(Object.keys(RequestSummary.properties)).toEqual(MEMBERS.split(' '));
    expect(RequestSummary.required).toEqual(MEMBERS.split(' '));
  });
});

describe('RequestListQuery', () => {
  it.each([
    [{}, true],
    [{ limit: 1, domain: 'a.example' }, true],
    [{ limit: 200, model: 'x'.repeat(256) }, true],
    [{ limit: 0 }, false],
    [{ limit: 201 }, false],
    [{ domain: 'x'.repeat(257) }, false],
    [{ domain: 'a\u0000' }, false],
    [{ kind: 'unknown' }, false],
    [{ other: 1 }, false],
  ])('%j: %s', (query, valid) => {
    expect(Value.Check(RequestListQuery, query)).toBe(valid);
  });
});
