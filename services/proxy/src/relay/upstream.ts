import type { Dispatcher } from 'undici';
import { buildConnector, Pool } from 'undici';

/** Longest head of an answer, in bytes. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Idle connections are closed well before the usual minute of the other side, which makes dying ones rare. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Connections to the one upstream. Never two requests on a connection at a time, as many connections as there are
 * requests, no request ever sent twice: with pipelining 1 undici re-queues only requests of which nothing was
 * written. Its own time limits are off, the relay keeps them.
 */
export function createUpstream(origin: string, connectMs: number): Dispatcher {
  const connector = buildConnector({ timeout: connectMs, allowH2: false });
  return new Pool(origin, {
    allowH2: false,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
    connect: (options, callback) => {
      connector(options, (...result) => {
        const [, socket] = result;
        // Before undici's own listener: it takes ECONNRESET for the clean end of an answer that has neither length
        // nor chunks, and a client would take the part it got for the whole.
        socket?.on('error', hideReset);
        callback(...result);
      });
    },
  });
}

function hideReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET';
}
