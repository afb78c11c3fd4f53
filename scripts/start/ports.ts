import { createServer } from 'node:net';

import { PortUnavailableError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'may not be used by this user',
};

/** Binds and releases a port of 127.0.0.1; 0 takes a free one. @returns the port */
async function probe(port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

/**
 * Looks, before anything is started, whether a port can be served on.
 *
 * @throws PortUnavailableError one line with the port, the reason and the flag to change
 */
export async function requirePort(port: number, flag: string): Promise<void> {
  try {
    await probe(port);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? `cannot be used (${code})`;
    throw new PortUnavailableError(`port ${port} ${reason}; choose another one with ${flag}`, {
      cause: error,
    });
  }
}

/** @returns a port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  return probe(0);
}
