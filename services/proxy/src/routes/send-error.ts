import type { FastifyReply } from 'fastify';

import { renderError } from '../errors.ts';
import type { OwnError } from '../errors.ts';

/** Answers with an error in the shape of the Messages API. */
export function sendError(reply: FastifyReply, error: OwnError): FastifyReply {
  const { status, headers, body } = renderError(error);
  // As bytes: to text the framework would add a charset, which the Messages API does not send.
  return reply.status(status).headers(headers).send(Buffer.from(body));
}
