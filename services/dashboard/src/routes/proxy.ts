import { ProxyStatus } from '@claude-nexus/api-contract';
import type { App, RouteContext } from './context.ts';
import { json, responses } from './responses.ts';

const schema = {
  summary: 'Where clients connect, and whether that address answers',
  tags: ['health'],
  response: responses({ 200: json('the proxy', ProxyStatus) }),
};

/** `/api/proxy`. */
export function proxyRoutes(app: App, { proxy }: RouteContext): void {
  app.get('/proxy', { schema }, async (_request, reply): Promise<ProxyStatus> => {
    reply.header('cache-control', 'no-store');
    return proxy.status();
  });
}
