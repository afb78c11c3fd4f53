import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Count, Money, RequestId, Timestamp, nullable } from './scalars.ts';
import { pageLimit, requestKinds, requestOutcomes } from './vocabulary.ts';

/** Members of RequestSummary, which RequestDetail has too. */
export const summaryMembers = {
  id: RequestId,
  upstreamRequestId: nullable(Type.String({ description: "the upstream's request-id header" })),
  upstreamMessageId: nullable(Type.String()),
  domain: Type.String(),
  accountId: nullable(Type.String()),
  conversationId: nullable(Type.String({ format: 'uuid' })),
  branchId: nullable(Type.String({ format: 'uuid' })),
  parentRequestId: nullable(RequestId),
  retryOf: nullable(RequestId),
  sessionId: nullable(Type.String()),
  agentId: nullable(Type.String()),
  parentAgentId: nullable(Type.String()),
  kind: Type.Enum([...requestKinds]),
  outcome: Type.Enum([...requestOutcomes]),
  status: nullable(Type.Integer({ description: 'HTTP status sent to the client' })),
  errorType: nullable(Type.String()),
  model: nullable(Type.String()),
  stopReason: nullable(Type.String()),
  streaming: Type.Boolean(),
  startedAt: Timestamp,
  firstTokenMs: nullable(Count),
  durationMs: nullable(Count),
  inputTokens: nullable(Count),
  outputTokens: nullable(Count),
  cacheReadTokens: nullable(Count),
  cacheWrite5mTokens: nullable(Count),
  cacheWrite1hTokens: nullable(Count),
  webSearchRequests: nullable(Count),
  costUsd: nullable(Money),
  toolCallCount: nullable(Count),
  messageCount: nullable(Count),
};

/** One exchange in a list: everything but its content. Unknown values are null, never zero. */
export const RequestSummary = Type.Object(summaryMembers, { title: 'RequestSummary' });
export type RequestSummary = Static<typeof RequestSummary>;

/** A page of `/api/requests`, newest first. It may hold fewer rows than `limit`, even none, and still have a next page. */
export const RequestList = Type.Object(
  {
    requests: Type.Array(RequestSummary),
    nextCursor: nullable(Type.String({ description: 'pass as cursor to go on; null at the end' })),
  },
  { title: 'RequestList' },
);
export type RequestList = Static<typeof RequestList>;

const filterText = (description: string) =>
  Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\u0000-\\u001f\\u007f]*$', description }),
  );

/** Filters of `/api/requests`; all given ones must hold. */
export const RequestListQuery = Type.Object(
  {
    domain: filterText('host name the client used'),
    account: filterText('account id'),
    model: filterText('model id'),
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'HTTP status' })),
    outcome: Type.Optional(Type.Enum([...requestOutcomes])),
    kind: Type.Optional(Type.Enum([...requestKinds])),
    conversation: Type.Optional(Type.String({ format: 'uuid', description: 'conversation id' })),
    session: filterText('session id'),
    agent: filterText('agent id'),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'started at or after' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'started before' })),
    limit: Type.Optional(Type.Integer({ ...pageLimit, description: 'rows per page' })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'nextCursor of the previous page' }),
    ),
  },
  { additionalProperties: false },
);
export type RequestListQuery = Static<typeof RequestListQuery>;

/** Path parameter of everything about one request. */
export const RequestIdParams = Type.Object({ id: RequestId });
export type RequestIdParams = Static<typeof RequestIdParams>;
