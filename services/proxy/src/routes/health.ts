import type { FastifyInstance } from 'fastify';

export interface HealthSource {
  /** True from SIGTERM on. */
  draining(): boolean;
}

/**
 * Health as this process alone knows it. The database has no say: without it the proxy serves and spools, and a
 * replica taken out of rotation for it would turn a slow dashboard into an outage.
 */
export function healthRoutes(app: FastifyInstance, health: HealthSource): void {
  const state = (): { status: 'ok' | 'draining' } => ({ status: health.draining() ? 'draining' : 'ok' });
  app.get('/health', (_request, reply) => reply.header('cache-control', 'no-store').send(state()));
  app.get('/health/live', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  );
  app.get('/health/ready', (_request, reply) =>
    reply
      .status(health.draining() ? 503 : 200)
      .header('cache-control', 'no-store')
      .send(state()),
  );
}
