import { Health, Probe } from '@claude-nexus/api-contract';
import type { App, HealthState, RouteContext } from './context.ts';
import { json } from './responses.ts';

const tags = ['health'];
const healthSchema = {
  summary: 'State of this service',
  tags,
  security: [],
  response: { 200: json('the state', Health) },
};
const liveSchema = {
  summary: 'The process answers',
  tags,
  security: [],
  response: { 200: json('alive', Probe) },
};
const readySchema = {
  summary: 'Traffic may be sent here',
  tags,
  security: [],
  response: { 200: json('ready', Probe), 503: json('starting or draining', Probe) },
};

/**
 * `/health*`. An outage of the database shows in `/health`, but leaves the service ready once it was: no other replica
 * would do better, and pages can still say what is wrong.
 */
export function healthRoutes(app: App, { health }: RouteContext): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.get('/health', { schema: healthSchema }, async (): Promise<Health> => toHealth(health()));
  app.get('/health/live', { schema: liveSchema }, async (): Promise<Probe> => ({ status: 'ok' }));
  app.get('/health/ready', { schema: readySchema }, async (_request, reply) => {
    const { ready, draining } = health();
    if (ready && !draining) return { status: 'ok' };
    return reply.code(503).send({ status: 'unavailable' });
  });
}

function toHealth({ draining, database }: HealthState): Health {
  const serving = database === 'up' ? 'ok' : 'degraded';
  return { status: draining ? 'draining' : serving, database };
}
