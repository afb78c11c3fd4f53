import { STATUS_CODES } from 'node:http';
import type { Problem } from '@claude-nexus/api-contract';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblemError, InputInvalidError } from '../errors.ts';
import { fieldErrors } from './field-errors.ts';
import { DATA_POLICY } from './security-headers.ts';

/** Makes every error of this instance an RFC 9457 answer; what was not foreseen is logged and shown without detail. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const answer = sendProblemOf(reply, error);
    if (reply.statusCode >= 500) logFailure(request, error);
    return answer;
  });
}

/** A failure with a name of its own is told in one line; anything else is a defect and comes with its stack. */
function logFailure(request: FastifyRequest, error: unknown): void {
  const route = request.routeOptions.url;
  if (!(error instanceof HttpProblemError)) {
    request.log.error({ err: error, route }, 'a request failed');
    return;
  }
  const reason = error.cause instanceof Error ? error.cause.message : undefined;
  request.log.warn({ code: error.code, reason, route }, 'a request failed');
}

/** Sends the answer to an error. */
export function sendProblemOf(reply: FastifyReply, error: unknown): FastifyReply {
  return sendProblem(
    reply,
    problemOf(error),
    error instanceof HttpProblemError ? error.retryAfter : undefined,
  );
}

/** The answer to an error. Messages of errors that are not ours are never shown. */
function problemOf(error: unknown): Problem {
  if (error instanceof HttpProblemError) return known(error);
  const { validation, validationContext, statusCode, code } = error as Partial<FastifyError>;
  if (validation !== undefined) return known(new InputInvalidError(fieldErrors(validation)));
  if (validationContext !== undefined || code?.startsWith('FST_ERR_CTP_') === true) {
    return unreadable(statusCode ?? 400);
  }
  const status = statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
  return plain(status, status === 500 ? 'NEXUS_INTERNAL' : 'NEXUS_REQUEST_REFUSED');
}

function known(error: HttpProblemError): Problem {
  const { status, title, code, message, fields } = error;
  const problem = { type: 'about:blank', title, status, code, detail: message };
  return fields === undefined ? problem : { ...problem, errors: [...fields] };
}

function unreadable(status: number): Problem {
  const detail = 'send the body as JSON with "content-type: application/json", at most 16 KiB';
  return { ...plain(status, 'NEXUS_BODY_UNREADABLE'), detail };
}

function plain(status: number, code: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code };
}

function sendProblem(reply: FastifyReply, problem: Problem, retryAfter?: number): FastifyReply {
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="claude-nexus"');
  return reply
    .removeHeader('content-disposition')
    .header('cache-control', 'no-store')
    .header('content-security-policy', DATA_POLICY)
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}
