import type { RequestRow } from '@claude-nexus/database';
import { costUsd } from '@claude-nexus/domain';
import type { DecodedRequest, DecodedResponse, Exchange } from './exchange.ts';

type Columns = { [Name in keyof RequestRow]?: RequestRow[Name] | undefined };

/** The row of an exchange, `pending` while it is open. */
export function requestRow(exchange: Exchange, recorderId: string): RequestRow {
  const { source, request, response } = exchange;
  const { begin } = source;
  return {
    id: source.id,
    startedAt: begin.startedAt,
    method: begin.method,
    path: begin.path,
    domain: begin.domain,
    scope: begin.scope,
    accountId: begin.accountId,
    clientKeyName: begin.clientKeyName,
    ...request.identity,
    userAgent: request.userAgent,
    kind: request.kind,
    outcome: response === undefined ? 'pending' : outcomeOf(exchange, response),
    ...requestColumns(request),
    ...(response === undefined ? openColumns(request) : responseColumns(exchange, response)),
    recorderId,
  } satisfies Columns as RequestRow;
}

function requestColumns(request: DecodedRequest): Columns {
  const { body } = request;
  return {
    messageCount: request.messageCount,
    requestForm: requestFormOf(request),
    requestLength: request.length,
    requestSha256: body?.sha256,
    requestEncoding: request.contentEncoding,
    leafNode: body?.leaf,
    headHash: body?.headHash,
    tailHash: body?.tailHash,
  };
}

function requestFormOf({ body, complete }: DecodedRequest): RequestRow['requestForm'] {
  if (body === undefined || (body.length === 0 && !complete)) return 'none';
  return complete ? body.form : 'partial';
}

function openColumns(request: DecodedRequest): Columns {
  return {
    model: request.model,
    streaming: request.streaming,
    responseForm: 'none',
    responseLength: 0,
  };
}

function responseColumns(exchange: Exchange, response: DecodedResponse): Columns {
  const { source, request } = exchange;
  return {
    status: source.head?.status ?? source.end?.status,
    errorType: errorTypeOf(exchange, response),
    streaming: response.streamed || (source.head === undefined && request.streaming),
    firstTokenMs: response.firstTokenMs,
    durationMs: durationOf(source),
    upstreamRequestId: response.upstreamRequestId,
    ...messageColumns(exchange, response),
    responseForm: response.form,
    responseLength: response.length,
    responseSha256: response.body?.sha256,
    responseEncoding: response.contentEncoding,
  };
}

function messageColumns({ source, request }: Exchange, { message, usage }: DecodedResponse): Columns {
  // The model that answered sets the price; the one asked for stands in where nothing was answered.
  const model = message?.model ?? request.model;
  return {
    errorMessage: message?.errorMessage ?? source.end?.errorMessage,
    model,
    stopReason: message?.stopReason,
    upstreamMessageId: message?.messageId,
    usage,
    costUsd: usage === undefined ? undefined : costUsd(usage, { model, at: source.begin.startedAt }),
    toolCallCount: message?.toolCallCount,
  };
}

/** The clock may have been set back meanwhile. */
function durationOf({ begin, end }: Exchange['source']): number | undefined {
  return end === undefined ? undefined : Math.max(0, end.endedAt - begin.startedAt);
}

/**
 * The relay knows how the bytes ended; what they said is known here. A stream may carry an `error` event after a
 * 200, and may end cleanly without `message_stop`.
 */
function outcomeOf({ source }: Exchange, response: DecodedResponse): RequestRow['outcome'] {
  if (source.closing !== 'end' || source.end === undefined) return 'interrupted';
  if (source.end.outcome !== 'completed') return source.end.outcome;
  if (response.message?.errorType !== undefined) return 'error';
  if (response.streamed && response.message !== undefined && !response.message.complete) return 'interrupted';
  return 'completed';
}

function errorTypeOf({ source }: Exchange, response: DecodedResponse): string | undefined {
  if (source.closing === 'lost') return 'recording_lost';
  return response.message?.errorType ?? source.end?.errorType;
}
