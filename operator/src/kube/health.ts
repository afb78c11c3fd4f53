import { closeServer, listen } from '@claude-nexus/runtime';
import { createServer } from 'node:http';

/** @returns undefined when all is well, else what is wrong in a few words */
type Check = () => string | undefined;

export interface ServeHealthOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Restart the process when it fails. */
  readonly livez: Check;
  /** Wait for the process while it fails. */
  readonly readyz: Check;
}

/**
 * Serves `/livez` and `/readyz`: 200 `ok`, or 503 with the reason. That it answers at all shows that the event loop runs.
 *
 * @throws {ListenError} when the port is taken
 */
export async function serveHealth(
  options: ServeHealthOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const checks = new Map([
    ['/livez', options.livez],
    ['/readyz', options.readyz],
  ]);
  const server = createServer((request, response) => {
    const check = checks.get(request.url?.split('?', 1)[0] ?? '');
    const problem = check?.();
    response.writeHead(check === undefined ? 404 : problem === undefined ? 200 : 503, {
      'content-type': 'text/plain; charset=utf-8',
    });
    response.end(`${check === undefined ? 'not found' : (problem ?? 'ok')}\n`);
  });
  const port = await listen(server, { host: options.host, port: options.port, setting: 'HEALTH_PORT' });
  return {
    port,
    close: () => closeServer(server),
  };
}
