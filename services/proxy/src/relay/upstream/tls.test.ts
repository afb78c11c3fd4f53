import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { UpstreamConnectTimeoutError } from '../errors.ts';
import { FakeHandler } from '../testing/fake-handler.ts';
import { answer, chunk, LAST_CHUNK, SSE_HEAD } from '../testing/harness.ts';
import { RawPeer } from '../testing/raw-peer.ts';
import { RawUpstream } from '../testing/raw-upstream.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { UpstreamPool } from './pool.ts';

const LOCAL = selfSigned('localhost');

let server: Server;
let port: number;
let sockets: TLSSocket[];
let pools: UpstreamPool[];

beforeEach(async () => {
  sockets = [];
  pools = [];
  server = createServer({ ...LOCAL, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    sockets.push(socket);
    server.emit('taken', new RawPeer(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});

afterEach(async () => {
  for (const pool of pools) pool.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

function poolFor(host: string, ca: string, connectMs = 10_000, to = port): UpstreamPool {
  const pool = new UpstreamPool({
    origin: new URL(`https://${host}:${to}`),
    connectMs,
    now: Date.now,
    tls: { ca },
  });
  pools.push(pool);
  return pool;
}

function get(pool: UpstreamPool): FakeHandler {
  const handler = new FakeHandler();
  pool.send({ method: 'GET', path: '/v1/models', headers: ['X-Secret', 'key'], length: 0 }, handler);
  return handler;
}

describe('an upstream behind TLS', () => {
  it('that is verified gets the request, by name and as HTTP/1.1, and its answer comes whole', async () => {
    const handler = get(poolFor('localhost', LOCAL.cert));
    const [peer] = (await once(server, 'taken')) as [RawPeer];
    expect(await peer.until('\r\n\r\n')).toContain(`\r\nhost: localhost:${port}\r\n`);
    const socket = sockets[0] as TLSSocket;
    expect([socket.servername, socket.alpnProtocol]).toEqual(['localhost', 'http/1.1']);
    const big = 'x'.repeat(300_000);
    peer.write(SSE_HEAD + chunk('one') + chunk(big) + LAST_CHUNK);
    expect(await handler.over).toBeUndefined();
    expect(handler.body).toBe(`one${big}`);
  });

  it('is used again, and a new connection to it takes the session up', async () => {
    const pool = poolFor('localhost', LOCAL.cert);
    const first = get(pool);
    const [peer] = (await once(server, 'taken')) as [RawPeer];
    await peer.until('\r\n\r\n');
    peer.write(answer('200 OK', 'one'));
    await first.over;
    const second = get(pool);
    await peer.until('\r\n\r\nGET');
    get(pool);
    const [other] = (await once(server, 'taken')) as [RawPeer];
    await other.until('\r\n\r\n');
    expect(sockets.map((socket) => socket.isSessionReused())).toEqual([false, true]);
    peer.write(answer('200 OK', 'two'));
    expect(await second.over).toBeUndefined();
  });

  it.each([
    ['unknown', 'localhost', selfSigned('localhost').cert, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', '127.0.0.1', LOCAL.cert, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('whose certificate is %s gets not a byte of the request', async (_name, host, ca, code) => {
    const handler = get(poolFor(host, ca));
    expect(await handler.over).toMatchObject({ code });
    for (const socket of sockets) expect(socket.bytesRead).toBe(0);
  });

  it('that never ends the handshake is given up in time', async () => {
    const silent = await RawUpstream.start();
    const handler = get(poolFor('localhost', LOCAL.cert, 30, silent.port));
    expect(await handler.over).toBeInstanceOf(UpstreamConnectTimeoutError);
    await (
      await silent.connection()
    ).closed;
    await silent.close();
  });

  it('that cuts an answer short is a failure', async () => {
    const handler = get(poolFor('localhost', LOCAL.cert));
    const [peer] = (await once(server, 'taken')) as [RawPeer];
    await peer.until('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal').end();
    expect(await handler.over).toMatchObject({ code: 'NEXUS_UPSTREAM_CLOSED' });
    expect(handler.body).toBe('hal');
  });
});
