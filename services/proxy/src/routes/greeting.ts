import type { FastifyInstance } from 'fastify';

/**
 * What clients send before their first request: a warm-up of the connection, without credential. Answered here, not
 * recorded, and never counted as a refused access.
 */
export function greetingRoutes(app: FastifyInstance): void {
  for (const path of ['/', '/api/hello']) {
    app.head(path, (_request, reply) => reply.status(200).send());
  }
}
