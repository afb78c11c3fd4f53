/** The yardstick: the least that forwards byte for byte with node:http and undici. It stores and checks nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Dispatcher } from 'undici';
import { Pool } from 'undici';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'host',
  'expect',
]);
const LEFT = new Error('client left');

function endToEnd(raw: readonly (string | Buffer)[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = String(raw[i]);
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, raw[i + 1]?.toString('latin1') ?? '');
  }
  return kept;
}

const pool = new Pool(process.argv[2] ?? '', { allowH2: false, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer({ requestTimeout: 0 }, (req, res) => {
  let controller: Dispatcher.DispatchController | undefined;
  res.on('close', () => controller?.abort(LEFT));
  res.on('drain', () => controller?.resume());
  res.sendDate = false;
  const { method = 'GET', url: path = '/', rawHeaders } = req;
  const empty = !('content-length' in req.headers || 'transfer-encoding' in req.headers);
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (res.destroyed) started.abort(LEFT);
    },
    onResponseStart(started, status, _headers, reason = '') {
      if (status >= 200) res.writeHead(status, reason, endToEnd(started.rawHeaders as Buffer[]));
    },
    onResponseData(started, chunk) {
      if (!res.write(chunk)) started.pause();
    },
    onResponseEnd: () => res.end(),
    onResponseError() {
      if (res.headersSent) res.destroy();
      else res.writeHead(502).end();
    },
  };
  pool.dispatch({ method, path, headers: endToEnd(rawHeaders), body: empty ? null : req }, handler);
});

process.on('message', () => process.send?.(process.cpuUsage()));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
