import type { Server } from 'node:net';

import { ListenError } from './errors.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Name of the setting a user changes when the port is taken, for the message. */
  readonly setting: string;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host name is unknown',
};

/**
 * Binds a server.
 *
 * @returns the port, which differs from the wish when that was 0
 * @throws {ListenError} one line with the address, the reason and the setting to change
 */
export async function listen(server: Server, options: ListenOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const reason = REASONS[error.code ?? ''] ?? error.code ?? 'unknown error';
      const address = `${options.host}:${options.port}`;
      reject(
        new ListenError(`cannot listen on ${address}: ${reason}; set ${options.setting}`, { cause: error }),
      );
    };
    server.once('error', failed);
    server.listen(options.port, options.host, () => {
      server.off('error', failed);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : options.port;
}
