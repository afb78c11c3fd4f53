/**
 * The relay as a program of its own, for measuring: everything but storage is on. `node serve.ts <upstream>`, forked;
 * sends its port, and its CPU use on every message.
 */
import type { AddressInfo } from 'node:net';

import type { ExchangeRecording } from '../ports.ts';
import { createRelay } from '../relay.ts';
import { createWireServer } from '../wire-server.ts';
import { FORWARD } from './harness.ts';

const recording: ExchangeRecording = {
  id: 'discarded',
  requestChunk: () => {},
  requestEnd: () => {},
  responseHead: () => {},
  responseChunk: () => {},
  end: () => Promise.resolve(),
};

const relay = createRelay({
  upstream: new URL(process.argv[2] ?? ''),
  recorder: { begin: () => recording },
  access: ({ domain }) => ({ ...FORWARD, domain }),
  logger: { warn: () => {}, error: () => {} },
});
const server = createWireServer({ relay, fallback: (_req, res) => res.writeHead(404).end() });

process.on('message', () => process.send?.(process.cpuUsage()));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
