import { EventsQuery } from '@claude-nexus/api-contract';
import type { App, RouteContext } from './context.ts';
import { other, responses } from './responses.ts';

const schema = {
  summary: 'Live events: request, stats, heartbeat, reset',
  description: 'Server-sent events. Last-Event-ID resumes on any replica; reset means: read the lists again.',
  tags: ['events'],
  querystring: EventsQuery,
  response: responses(
    { 200: other('the event stream', 'text/event-stream') },
    { 400: 'a parameter is refused', 503: 'too many streams, or the database does not answer' },
  ),
};

/** `/sse`. */
export function eventRoutes(app: App, { hub }: RouteContext): void {
  app.get('/sse', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const lastEventId = request.headers['last-event-id'];
    const stream = hub.open({
      domain: request.query.domain,
      lastEventId: typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined,
      expiresAt: request.caller?.expiresAt,
    });
    reply.header('cache-control', 'no-store, no-transform').header('x-accel-buffering', 'no');
    return reply.type('text/event-stream; charset=utf-8').send(stream);
  });
}
