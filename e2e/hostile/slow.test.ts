import { setInterval as every } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TestGateway } from '../fixtures/gateway.ts';
import { until } from '../fixtures/program.ts';
import { echo } from './attack.ts';
import { exchange, WireClient } from './wire.ts';

/** A head has to be there in 30 seconds; the server looks every other second. */
const HEAD_LIMIT_MS = 40_000;
const SERVED_MS = 2000;
const SLOW_CLIENTS = 300;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
  gateway.upstream.answer(echo);
});
afterAll(() => gateway.stop());

/** Requests as others send them, all served quickly. */
async function othersAreServed(): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    const started = Date.now();
    const body = JSON.stringify({ count });
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await exchange(gateway.proxyUrl, head + body);
    expect(answer.status).toBe(200);
    expect(Date.now() - started).toBeLessThan(SERVED_MS);
  }
}

async function connected(count: number, bytes: string): Promise<WireClient[]> {
  const clients = await Promise.all(
    Array.from({ length: count }, async () => WireClient.to(gateway.proxyUrl)),
  );
  for (const client of clients) client.write(bytes);
  return clients;
}

describe('clients that send slowly', () => {
  it('are cut off while they are still at the head, and keep nobody waiting', async () => {
    const half = 'POST /v1/messages HTTP/1.1\r\nHost: a\r\n';
    const starts = ['', 'POST /v1/', half, `${half}Content-Length: 5\r\nX-A: `];
    const clients = (await Promise.all(starts.map((start) => connected(SLOW_CLIENTS / 4, start)))).flat();
    const stop = new AbortController();
    const drip = async (): Promise<void> => {
      for await (const _ of every(1000, undefined, { signal: stop.signal })) {
        for (const client of clients.slice(SLOW_CLIENTS / 4)) client.write(client.closed ? '' : 'a');
      }
    };
    const dripping = drip().catch(() => undefined);
    try {
      await othersAreServed();
      await Promise.all(clients.map((client) => client.ended(HEAD_LIMIT_MS)));
      const statuses = clients.slice(SLOW_CLIENTS / 4).map((client) => client.answers.whole[0]?.status);
      expect(new Set(statuses)).toEqual(new Set([408]));
      await othersAreServed();
    } finally {
      stop.abort();
      await dripping;
      for (const client of clients) client.destroy();
    }
  });

  it('cannot fill the room for bodies with what they only announce', async () => {
    const announced = 32 * 1024 * 1024;
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${announced}\r\n\r\n{`;
    const clients = await connected(40, head);
    try {
      const atUpstream = (): number =>
        gateway.upstream.requests.filter(
          (received) => received.header('content-length') === String(announced),
        ).length;
      await until('the uploads to have begun', async () =>
        atUpstream() === clients.length || clients.some((client) => client.text !== '') ? true : undefined,
      );
      await othersAreServed();
      expect(clients.filter((client) => client.text !== '')).toEqual([]);
    } finally {
      for (const client of clients) client.destroy();
    }
  });

  it('cannot hold answers back from others by not reading theirs', async () => {
    const body = JSON.stringify({ pad: 'x'.repeat(1_000_000) });
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    const clients = await connected(20, head + body.slice(0, -1));
    await othersAreServed();
    for (const client of clients) client.write('}');
    const answers = await Promise.all(clients.map((client) => client.settle(1)));
    expect(answers.map(([answer]) => answer?.status)).toEqual(clients.map(() => 200));
    for (const client of clients) client.destroy();
  });
});
