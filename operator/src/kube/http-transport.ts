import { NexusError } from '@claude-nexus/runtime';
import http from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import https from 'node:https';

import { systemClock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import { ApiUnreachableError } from './errors.ts';
import type { OperatorMetrics } from './metrics.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, encoded. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

export interface TransportOptions {
  readonly credentials: Credentials;
  readonly userAgent: string;
  /** For a whole answer; of a stream for its head. */
  readonly requestTimeoutMs: number;
  readonly metrics: OperatorMetrics;
}

type Settle = (response: IncomingMessage) => Promise<TransportAnswer>;

/** Requests to one API server over connections that are kept. */
export class HttpTransport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @throws {ApiUnreachableError} without a complete answer in time */
  async send(request: TransportRequest): Promise<TransportAnswer> {
    try {
      return await this.#exchange(request, readAnswer, { whole: true });
    } catch (error) {
      // The server closed an idle connection just as it was used again.
      if (request.method !== 'GET' || !wasStale(error)) throw error;
      return this.#exchange(request, readAnswer, { whole: true });
    }
  }

  /**
   * Resolves when the answer ends or the signal aborts. Its chunks go to `onChunk` if it is a success; else it comes back
   * whole.
   *
   * @throws {ApiUnreachableError} when no head comes in time or the answer breaks off
   */
  async stream(
    request: TransportRequest & { readonly signal: AbortSignal },
    onChunk: (chunk: Buffer) => void,
  ): Promise<TransportAnswer> {
    try {
      const settle: Settle = async (response) => {
        if (response.statusCode !== 200) return readAnswer(response);
        for await (const chunk of response) onChunk(chunk as Buffer);
        return { status: 200, retryAfter: undefined, body: Buffer.alloc(0) };
      };
      return await this.#exchange(request, settle, { whole: false });
    } catch (error) {
      if (request.signal.aborted) return { status: 200, retryAfter: undefined, body: Buffer.alloc(0) };
      throw error;
    }
  }

  async #exchange(
    request: TransportRequest,
    settle: Settle,
    options: { whole: boolean },
  ): Promise<TransportAnswer> {
    const { credentials, requestTimeoutMs } = this.#options;
    const { host } = credentials.server;
    const observed = this.#observation(request.method, host);
    let cancel: (() => void) | undefined;
    try {
      const sent = await this.#start(request);
      cancel = systemClock.after(requestTimeoutMs, () => {
        sent.request.destroy(new ApiUnreachableError(`no answer from ${host} in ${requestTimeoutMs} ms`));
      });
      const response = await sent.response;
      if (options.whole) {
        const answer = await settle(response);
        observed(String(answer.status));
        return answer;
      }
      cancel();
      observed(String(response.statusCode));
      return await settle(response);
    } catch (error) {
      observed('<error>');
      throw unreachable(error, host);
    } finally {
      cancel?.();
    }
  }

  /** Counts a request once, with the first outcome it is told. */
  #observation(method: string, host: string): (code: string) => void {
    const { client } = this.#options.metrics;
    const begin = systemClock.monotonic();
    let done = false;
    return (code) => {
      if (done) return;
      done = true;
      client.seconds.observe({ verb: method, host }, (systemClock.monotonic() - begin) / 1000);
      client.requests.inc({ code, method, host });
    };
  }

  async #start(
    request: TransportRequest,
  ): Promise<{ request: http.ClientRequest; response: Promise<IncomingMessage> }> {
    const { credentials, userAgent } = this.#options;
    const { server } = credentials;
    const { headers, ...connection } = await credentials.connection();
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const options: RequestOptions = {
      ...connection,
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port,
      path: server.pathname.replace(/\/$/, '') + request.path,
      method: request.method,
      headers: {
        ...headers,
        accept: request.accept ?? 'application/json',
        'user-agent': userAgent,
        ...(body === undefined
          ? {}
          : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    const sent = (server.protocol === 'http:' ? http : https).request(options);
    const response = Promise.withResolvers<IncomingMessage>();
    sent.on('response', response.resolve);
    sent.on('error', (error) => {
      response.reject(Object.assign(error, { reusedSocket: sent.reusedSocket }));
    });
    sent.end(body);
    return { request: sent, response: response.promise };
  }
}

async function readAnswer(response: IncomingMessage): Promise<TransportAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) {
      response.destroy();
      throw new ApiUnreachableError(`the API server sent more than ${MAX_BODY_BYTES} bytes`);
    }
  }
  const { statusCode, headers } = response;
  return { status: statusCode ?? 0, retryAfter: headers['retry-after'], body: Buffer.concat(chunks) };
}

/** What a consumer of a stream throws, such as the ApiError of an ERROR event, passes through. */
function unreachable(error: unknown, host: string): NexusError {
  if (error instanceof NexusError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  return new ApiUnreachableError(`request to the API server ${host} failed: ${code}`, { cause: error });
}

function wasStale(error: unknown): boolean {
  const cause = error instanceof ApiUnreachableError ? error.cause : undefined;
  if (!(cause instanceof Error)) return false;
  const { reusedSocket, code } = cause as Error & { reusedSocket?: boolean; code?: string };
  return reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE');
}
