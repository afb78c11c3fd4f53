import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Dispatcher } from 'undici';
import { expect, it } from 'vitest';

import { Exchange } from './exchange.ts';
import type { ExchangeHost } from './exchange.ts';
import { HeaderView } from './header-view.ts';
import { FakeRecorder } from './testing/fake-recorder.ts';
import { FORWARD, post } from './testing/harness.ts';
import { RawPeer } from './testing/raw-peer.ts';
import { DEFAULT_TIMEOUTS } from './timeouts.ts';

/** An upstream whose connection is made when the test says so. */
function slowUpstream() {
  const handlers: Dispatcher.DispatchHandler[] = [];
  const aborted: Error[] = [];
  const dispatcher = {
    dispatch: (_options: unknown, handler: Dispatcher.DispatchHandler) => {
      handlers.push(handler);
      return true;
    },
  } as unknown as Dispatcher;
  const controller = { abort: (reason: Error) => aborted.push(reason) };
  return {
    dispatcher,
    aborted,
    connect: () => handlers[0]?.onRequestStart?.(controller as never, undefined),
  };
}

it('a client that left while the connection was being made has its request given up when it is there', async () => {
  const upstream = slowUpstream();
  const recorder = new FakeRecorder();
  const ended: Exchange[] = [];
  const host: ExchangeHost = {
    upstream: upstream.dispatcher,
    pathPrefix: '',
    recorder,
    timeouts: DEFAULT_TIMEOUTS,
    maxBodyBytes: 1000,
    logger: { warn: () => {}, error: () => {} },
    draining: false,
    now: Date.now,
    chunkCame: () => undefined,
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
  expect(upstream.aborted).toEqual([]);
  upstream.connect();
  expect(upstream.aborted).toHaveLength(1);
  await nextTurn();
  expect(ended).toHaveLength(1);
  server.close();
});
