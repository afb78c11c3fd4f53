import type { FastifyInstance } from 'fastify';
import { MethodNotAllowedError } from '../errors.ts';

/**
 * Lets `register` add routes, and answers 405 with `allow` at their addresses for every other method: 404 would say
 * that there is nothing at the address at all.
 */
export function answerOtherMethods(app: FastifyInstance, register: () => void): void {
  const allowed = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ routePath, method }) => {
    const methods = allowed.get(routePath) ?? new Set();
    allowed.set(routePath, methods);
    for (const name of [method].flat()) methods.add(name);
  });
  register();
  for (const [url, known] of allowed) {
    const names = [...known];
    app.route({
      url,
      method: app.supportedMethods.filter((method) => !names.includes(method)),
      schema: { hide: true },
      // Before the body is read: what it holds does not matter.
      onRequest: async (_request, reply) => {
        reply.header('allow', names.join(', '));
        throw new MethodNotAllowedError(names);
      },
      handler: async () => undefined,
    });
  }
}
