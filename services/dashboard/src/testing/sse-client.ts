import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEY } from './dashboard.ts';

/** Opens `/sse` of a listening dashboard with the key of the tests. */
export async function connectEvents(
  server: Server,
  options: { path?: string; headers?: Record<string, string> } = {},
): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const headers = { 'x-dashboard-key': KEY, ...options.headers };
  const request = get({ host: '127.0.0.1', port, path: options.path ?? '/sse', headers });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}

/** Reads until the text received contains `wanted`. */
export async function readUntil(response: IncomingMessage, wanted: string): Promise<string> {
  let text = '';
  while (!text.includes(wanted)) {
    const [chunk] = (await once(response, 'data')) as [string];
    text += chunk;
  }
  return text;
}
