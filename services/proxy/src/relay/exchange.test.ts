import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { Exchange } from './exchange.ts';
import type { ExchangeHost } from './exchange.ts';
import { HeaderView } from './header-view.ts';
import { FakeRecorder } from './testing/fake-recorder.ts';
import { FORWARD, post } from './testing/harness.ts';
import { RawPeer } from './testing/raw-peer.ts';
import { DEFAULT_TIMEOUTS } from './timeouts.ts';
import type { UpstreamCall } from './upstream/call.ts';

/** An upstream to which no connection is made. */
function slowUpstream() {
  let aborted = 0;
  const call = { write: () => false, abort: () => aborted++ } as unknown as UpstreamCall;
  return { send: () => call, aborted: () => aborted };
}

it('a client that left while the connection was being made has its request given up at once', async () => {
  const upstream = slowUpstream();
  const recorder = new FakeRecorder();
  const ended: Exchange[] = [];
  const host: ExchangeHost = {
    upstream,
    pathPrefix: '',
    recorder,
    timeouts: DEFAULT_TIMEOUTS,
    maxBodyBytes: 1000,
    logger: { warn: () => {}, error: () => {} },
    draining: false,
    now: Date.now,
    takeBytes: () => true,
    ended: (exchange) => ended.push(exchange),
  };
  const server = createServer((req, res) => {
    const headers = new HeaderView(req.rawHeaders);
    new Exchange(host, { req, res, headers, decision: FORWARD, declaredLength: 2 }).start();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = await RawPeer.to((server.address() as AddressInfo).port);
  client.write(post('{}'));
  const recording = await recorder.recording();
  client.reset();
  expect(await recording.ended).toMatchObject({ outcome: 'aborted' });
  expect(upstream.aborted()).toBe(1);
  await nextTurn();
  expect(ended).toHaveLength(1);
  server.close();
});
