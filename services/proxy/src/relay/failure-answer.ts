import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Failure } from './failure.ts';
import { renderError } from '../errors.ts';

export interface FailureAnswerOptions {
  readonly requestId: string;
  /** The client may still be sending: the rest is read and thrown away for at most `lingerMs`. */
  readonly uploading: boolean;
  readonly lingerMs: number;
}

/** Connections on which a refusal was the last word. */
const refused = new WeakSet<Socket>();

/**
 * True once a request on the connection was refused before its end: what comes now belongs to that request, or to
 * nobody, for where it ends is what client and proxy may disagree about.
 */
export function isRefused(socket: Socket): boolean {
  return refused.has(socket);
}

/** Answers with one of the proxy's own errors; no answer must have begun. */
export function answerFailure(
  req: IncomingMessage,
  res: ServerResponse,
  failure: Failure,
  options: FailureAnswerOptions,
): void {
  if (res.destroyed) return;
  const { headers, body } = flatten(failure, options.requestId);
  if (!options.uploading) {
    res.writeHead(failure.status, headers).end(body);
    return;
  }
  headers.push('connection', 'close');
  refused.add(req.socket);
  res.writeHead(failure.status, headers).write(body);
  lingerThen(req, options.lingerMs, () => res.end());
}

/**
 * Reads on and throws away what the client still sends, then calls `close`. Closing with unread bytes would reset
 * the connection, and the reset would take the answer with it before the client has read it.
 */
export function lingerThen(req: IncomingMessage, lingerMs: number, close: () => void): void {
  if (req.complete || req.destroyed) {
    close();
    return;
  }
  const timer = setTimeout(close, lingerMs);
  timer.unref();
  const finish = (): void => {
    clearTimeout(timer);
    close();
  };
  req.once('end', finish);
  req.once('error', () => clearTimeout(timer));
  req.resume();
}

/** Answers on a connection whose request could not be read at all, and closes it. */
export function answerOnSocket(
  socket: Socket,
  failure: Failure,
  options: { readonly requestId: string; readonly lingerMs: number },
): void {
  const { headers, body } = flatten(failure, options.requestId);
  headers.push('connection', 'close');
  let head = `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status] ?? ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  // Only our half is closed: the parser goes on swallowing what the client sends until it has read the answer.
  socket.end(`${head}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), options.lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** The body, and the flat headers without those of the connection. */
function flatten(failure: Failure, requestId: string): { headers: string[]; body: string } {
  const { headers, body } = renderError(failure, requestId);
  return {
    headers: [...Object.entries(headers).flat(), 'content-length', String(Buffer.byteLength(body))],
    body,
  };
}
