import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { AccessDecider, ExchangeSummary, ForwardDecision } from '../ports.ts';
import { createRelay } from '../relay.ts';
import type { Relay, RelayOptions } from '../relay.ts';
import { createWireServer } from '../wire-server.ts';
import type { WireServerOptions } from '../wire-server.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RawPeer } from './raw-peer.ts';
import { RawUpstream } from './raw-upstream.ts';

export interface HarnessOptions {
  readonly relay?: Partial<RelayOptions>;
  readonly server?: Partial<WireServerOptions>;
  /** Address of the upstream, when it is not the harness's own. */
  readonly upstreamUrl?: (port: number) => string;
}

/** A wire server with its relay between raw TCP clients and a raw TCP upstream. */
export interface Harness {
  readonly port: number;
  readonly relay: Relay;
  readonly recorder: FakeRecorder;
  readonly upstream: RawUpstream;
  readonly summaries: ExchangeSummary[];
  readonly refusals: number[];
  client(): Promise<RawPeer>;
  close(): Promise<void>;
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const upstream = await RawUpstream.start();
  const recorder = new FakeRecorder();
  const summaries: ExchangeSummary[] = [];
  const refusals: number[] = [];
  const clients: RawPeer[] = [];
  const url = options.upstreamUrl?.(upstream.port) ?? `http://127.0.0.1:${upstream.port}`;
  const relay = createRelay({
    upstream: new URL(url),
    recorder,
    access: forwardAll,
    logger: { warn: () => {}, error: () => {} },
    metrics: {
      exchangeEnded: (summary) => summaries.push(summary),
      refused: ({ status }) => refusals.push(status),
    },
    ...options.relay,
  });
  const server = createWireServer({ relay, fallback: answerFallback, ...options.server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    relay,
    recorder,
    upstream,
    summaries,
    refusals,
    async client() {
      const peer = await RawPeer.to(port);
      clients.push(peer);
      return peer;
    },
    async close() {
      for (const client of clients) client.destroy();
      server.close();
      server.closeAllConnections();
      await relay.close();
      await upstream.close();
    },
  };
}

export const FORWARD: ForwardDecision = {
  kind: 'forward',
  domain: 'api.test',
  scope: 'domain:api.test',
  outboundHeaders: { strip: new Set(), add: [] },
  recordBody: true,
};

const forwardAll: AccessDecider = ({ domain }) => ({ ...FORWARD, domain, scope: `domain:${domain}` });

function answerFallback(req: IncomingMessage, res: ServerResponse): void {
  res.end(`fallback ${req.url}`);
}

/** Text of a POST with a body of its length. */
export function post(body: string, headers: readonly string[] = []): string {
  const lines = ['POST /v1/messages?beta=true HTTP/1.1', 'Host: api.test', ...headers];
  return [...lines, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** Text of an answer with a body of its length. */
export function answer(status: string, body: string, headers: readonly string[] = []): string {
  return [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** One HTTP chunk. */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

export const LAST_CHUNK = '0\r\n\r\n';

/** A message that ends with its last chunk; the head alone may end with a zero too. */
export const ENDED = /\r\n0\r\n\r\n$/;

export const SSE_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Splits an HTTP message into its start line, its header lines and what follows. */
export function parts(message: string): { start: string; headers: string[]; body: string } {
  const end = message.indexOf('\r\n\r\n');
  const [start = '', ...headers] = message.slice(0, end).split('\r\n');
  return { start, headers, body: message.slice(end + 4) };
}

/** Text of a chunked body without its framing; fails where the framing is broken. */
export function dechunk(body: string): { text: string; complete: boolean } {
  let text = '';
  let rest = body;
  for (;;) {
    const end = rest.indexOf('\r\n');
    if (end === -1) return { text, complete: false };
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (size === 0) return { text, complete: rest.slice(end).endsWith('\r\n\r\n') };
    text += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}

/** The JSON of an own error answer. */
export function errorOf(message: string): {
  type: string;
  error: { type: string; message: string };
  request_id: string;
} {
  return JSON.parse(parts(message).body);
}
