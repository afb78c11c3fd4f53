import type { Server } from 'node:http';

/** Closes an HTTP server and every connection it has, whatever they are doing; resolves when all are gone. */
export async function closeServer(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeAllConnections();
  await closed.promise;
}
