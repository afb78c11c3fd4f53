import swagger from '@fastify/swagger';
import { sendCached } from '../http/send-cached.ts';
import { etagOf } from '../http/etag.ts';
import type { CachedBody } from '../http/response-cache.ts';
import type { App } from './context.ts';
import { responses } from './responses.ts';

/** Collects the schemas of all routes registered after it. */
export async function describeRoutes(app: App, basePath: string): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ClaudeNexus dashboard',
        description: 'Reads what the proxy recorded. Errors are RFC 9457 problem details.',
        version: '1',
      },
      servers: [{ url: basePath }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          header: { type: 'apiKey', in: 'header', name: 'X-Dashboard-Key' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'claude_nexus_session' },
        },
      },
      security: [{ bearer: [] }, { header: [] }, { cookie: [] }],
    },
  });
}

const schema = {
  summary: 'This description',
  tags: ['meta'],
  response: responses({
    200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: {} } } },
  }),
};

/** `/api/openapi.json`. */
export function openapiRoutes(app: App): void {
  let cached: CachedBody | undefined;
  app.get('/openapi.json', { schema }, async (request, reply) => {
    cached ??= render(app);
    return sendCached(request, reply, cached);
  });
}

function render(app: App): CachedBody {
  const body = Buffer.from(JSON.stringify(app.swagger()), 'utf8');
  return { body, etag: etagOf(body) };
}
