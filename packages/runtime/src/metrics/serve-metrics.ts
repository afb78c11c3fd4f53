import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

import { closeServer } from '../close-server.ts';
import { listen } from '../listen.ts';

export interface ServeMetricsOptions {
  readonly registry: Registry;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` on a port of its own, so that what faces users never exposes it.
 *
 * @throws {ListenError} when the port is taken
 */
export async function serveMetrics(options: ServeMetricsOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    void answer(options.registry, request, response);
  });
  const port = await listen(server, { host: options.host, port: options.port, setting: 'METRICS_PORT' });
  return {
    port,
    close: () => closeServer(server),
  };
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path !== '/metrics') return reply(response, { status: 404, body: 'not found\n' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return reply(response, { status: 405, body: 'method not allowed\n' });
  }
  try {
    return reply(response, { status: 200, body: await registry.metrics(), type: registry.contentType });
  } catch {
    return reply(response, { status: 500, body: 'a metric could not be read\n' });
  }
}

function reply(response: ServerResponse, answered: { status: number; body: string; type?: string }): void {
  response.writeHead(answered.status, { 'content-type': answered.type ?? 'text/plain; charset=utf-8' });
  response.end(answered.body);
}
