/**
 * A Messages API stand-in that costs next to nothing: it reads requests by their Content-Length and answers with
 * bytes made once. The path says which: `/v1/json`, `/v1/burst` (the whole stream at once), `/v1/paced` (one event
 * per turn of the event loop).
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const DELTAS = 200;
const JSON_BODY = JSON.stringify({ type: 'message', content: [{ type: 'text', text: 'x'.repeat(900) }] });
const COMMON =
  'Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nrequest-id: req_011CVabc\r\nanthropic-organization-id: 0b1e\r\n' +
  'anthropic-ratelimit-unified-status: allowed\r\nanthropic-ratelimit-unified-5h-utilization: 0.12\r\n' +
  'anthropic-ratelimit-unified-reset: 1763900000\r\nvia: 1.1 google\r\nserver: cloudflare\r\ncf-ray: 9a1b\r\n' +
  'strict-transport-security: max-age=31536000; includeSubDomains; preload\r\nx-robots-tag: none\r\n';
const JSON_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\n${COMMON}Content-Type: application/json\r\nContent-Length: ${JSON_BODY.length}\r\n\r\n${JSON_BODY}`,
);
const STREAM_HEAD = Buffer.from(
  `HTTP/1.1 200 OK\r\n${COMMON}Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n`,
);
const EVENT_TEXT =
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" the words of it"}}\n\n';
const EVENT = Buffer.from(`${EVENT_TEXT.length.toString(16)}\r\n${EVENT_TEXT}\r\n`);
const LAST = Buffer.from('0\r\n\r\n');
const BURST = Buffer.concat([STREAM_HEAD, ...Array.from({ length: DELTAS }, () => EVENT), LAST]);

function answer(socket: Socket, path: string): void {
  if (path.startsWith('/v1/json')) socket.write(JSON_ANSWER);
  else if (path.startsWith('/v1/burst')) socket.write(BURST);
  else pace(socket, 0);
}

function pace(socket: Socket, sent: number): void {
  if (socket.destroyed) return;
  if (sent === 0) socket.write(STREAM_HEAD);
  socket.write(sent === DELTAS ? LAST : EVENT);
  if (sent < DELTAS) setImmediate(pace, socket, sent + 1);
}

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  let missing = 0;
  let path = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (data) => {
    let rest = data.length;
    if (missing === 0) {
      head += data.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      path = head.slice(head.indexOf(' ') + 1);
      missing = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, end + 2))?.[1] ?? 0);
      rest = head.length - end - 4;
      head = '';
    }
    missing -= rest;
    if (missing === 0) answer(socket, path);
  });
});

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
