import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { until } from '../fixtures/program.ts';
import { DatabaseServer } from './database-server.ts';
import { checkBooks, lateOnes } from './ledger.ts';
import { API_KEY, Load, LONG, LONG_ONLY, send, sha256 } from './load.ts';
import { sharedDatabase, Site } from './site.ts';
import type { Receipt } from './load.ts';
import type { ProxyProcess, SiteDatabase } from './site.ts';

/** Kills of the short run. */
const FEW = 8;
/** Events of a slow stream, a tenth of a second apart. */
const SLOW_EVENTS = 30;
const DRAIN = { DRAIN_TIMEOUT: '100s' };

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site | undefined;
let keepServer: SiteDatabase;
beforeAll(async () => {
  keepServer = await sharedDatabase();
});
afterAll(() => keepServer.remove());
afterEach(async () => {
  await site?.stop();
  site = undefined;
});

function question(prompt: string, stream: boolean): string {
  return JSON.stringify({
    model: 'claude-opus-5-5',
    max_tokens: 1000,
    stream,
    messages: [{ role: 'user', content: prompt }],
  });
}

/** Streams that take a while; resolves once each of them has begun. */
async function slowStreams(
  url: string,
  { count, events = SLOW_EVENTS }: { count: number; events?: number },
): Promise<Promise<Receipt>[]> {
  let begun = 0;
  const streams = Array.from({ length: count }, async (_, index) => {
    let seen = false;
    return send(url, {
      body: question(`slow: ${events} x 100\nstream ${index}`, true),
      onText: (text) => {
        if (seen || !text.includes('word0001')) return;
        seen = true;
        begun += 1;
      },
    });
  });
  await until('the streams to have begun', async () => (begun === count ? true : undefined));
  return streams;
}

describe('SIGTERM under load', () => {
  it.for([
    ['with a durable spool the next start ships', 'true', SLOW_EVENTS],
    ['without a durable spool everything is shipped before the end', 'false', SLOW_EVENTS],
    ['streams of a minute, too', 'false', 600],
  ] as const)('takes no new work and lets streams end; %s', async ([, durable, events], context) => {
    context.skip(events > SLOW_EVENTS && !LONG, LONG_ONLY);
    const proxyEnv = { ...DRAIN, SPOOL_DURABLE: durable };
    const running = (site = await Site.start({ database: await sharedDatabase(), proxyEnv }));
    const { proxy, upstream } = running;
    const load = new Load({ urls: running.urls });
    await load.more(20);
    const streams = await slowStreams(proxy.url, { count: 4, events });
    const ended = proxy.stop();
    await until('readiness to be off', async () =>
      (await proxy.health('ready')) === 503 ? true : undefined,
    );
    expect(await proxy.health('live')).toBe(200);
    await until('a request to be refused', async () => (load.refused > 0 ? true : undefined));
    const forwarded = upstream.requests.length;
    await load.stop();
    const receipts = [...load.receipts, ...(await Promise.all(streams))];
    expect(upstream.requests.length, 'no new work').toBe(forwarded);
    expect(await ended).toBe(0);
    expect(receipts.at(-1)?.text).toContain(`word${String(events - 1).padStart(4, '0')}`);
    if (durable === 'true') await proxy.start();
    await checkBooks(running, receipts);
  });
});

describe('SIGTERM while the database is down', () => {
  it('ends a proxy with a durable spool at once after its streams, and the next start ships', async () => {
    const database = await DatabaseServer.start();
    const running = (site = await Site.start({ database, proxyEnv: DRAIN }));
    const { proxy } = running;
    const load = new Load({ urls: running.urls });
    await load.more(10);
    await database.stop();
    await load.more(20);
    const streams = await slowStreams(proxy.url, { count: 2 });
    const ended = proxy.stop();
    const receipts = [...load.receipts, ...(await Promise.all(streams))];
    const afterStreams = Date.now();
    expect(await ended).toBe(0);
    expect(Date.now() - afterStreams).toBeLessThan(5000);
    expect(proxy.log).toContain('the next start ships what is left in the spool');
    receipts.push(...(await load.stop()).slice(receipts.length - streams.length));
    await database.restart();
    await proxy.start();
    await checkBooks(running, receipts);
  });

  it('makes a proxy without one wait until DRAIN_TIMEOUT and count what it abandons', async () => {
    const database = await DatabaseServer.start();
    const proxyEnv = { DRAIN_TIMEOUT: '4s', SPOOL_DURABLE: 'false' };
    const running = (site = await Site.start({ database, proxyEnv }));
    const { proxy } = running;
    await send(proxy.url, { body: question('stored', false) });
    await proxy.untilShipped();
    await database.stop();
    for (let index = 0; index < 7; index += 1)
      await send(proxy.url, { body: question('left', index % 2 > 0) });
    const asked = Date.now();
    expect(await proxy.stop()).toBe(0);
    expect(Date.now() - asked).toBeGreaterThan(3900);
    expect(Date.now() - asked).toBeLessThan(4000 + 15_000);
    expect(proxy.log).toContain('"exchanges":7,"msg":"exchanges were not shipped in time and are abandoned"');
    await database.restart();
  });
});

/** Sends a request and kills the proxy in the turn of the event loop that sees the answer's last byte. */
async function killAtLastByte(proxy: ProxyProcess, body: string): Promise<Receipt> {
  const { port } = new URL(proxy.url);
  const socket = connect(Number(port), '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = '';
  let receivedAt = 0;
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`cut: ${received}`)));
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    const [head = '', rest] = received.split('\r\n\r\n', 2);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    const whole = length === undefined ? received.endsWith('\r\n0\r\n\r\n') : rest?.length === Number(length);
    if (!whole) return;
    proxy.signal('SIGKILL');
    receivedAt = Date.now();
    resolve(received);
  });
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: ${API_KEY}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  const answer = await promise;
  socket.destroy();
  const requestId = /request-id: (\S+)/i.exec(answer)?.[1] ?? '';
  const json = answer.split('\r\n\r\n', 2)[1] ?? '';
  const streamed = /content-type: text\/event-stream/i.test(answer);
  return {
    requestId,
    status: 200,
    receivedAt,
    requestSha256: sha256(body),
    ...(streamed ? {} : { responseSha256: sha256(Buffer.from(json, 'latin1')) }),
  };
}

describe('SIGKILL', () => {
  it.for([FEW, 100])(
    'right after a client has read its last byte, %i times, loses nothing',
    { timeout: 900_000 },
    async (kills, context) => {
      context.skip(kills > FEW && !LONG, LONG_ONLY);
      const running = (site = await Site.prepare({ database: await sharedDatabase() }));
      const { proxy } = running;
      const receipts: Receipt[] = [];
      for (let kill = 0; kill < kills; kill += 1) {
        await proxy.start();
        const prompt = `kill ${kill} ${'words '.repeat(kill * 20)}`;
        const receipt = await killAtLastByte(proxy, question(prompt, kill % 2 > 0));
        expect(await proxy.stop('SIGKILL')).toBe('SIGKILL');
        receipts.push({
          ...receipt,
          ...(receipt.responseSha256 === undefined && { text: `You said: ${prompt.slice(0, 200)}` }),
        });
      }
      await proxy.start();
      const late = await lateOnes(running, receipts);
      expect(late.length, 'answers on a machine too busy to tell').toBeLessThanOrEqual(kills / 2);
      const rows = await checkBooks(running, receipts, { match: 'superset', lost: late });
      const stored = rows.filter((row) => row.outcome === 'completed').length;
      await context.annotate(`${kills} kills, ${late.length} of late answers, ${kills - stored} not stored`);
    },
  );

  it('under load, again and again, loses no exchange a client has received, and totals stay exact', async () => {
    const running = (site = await Site.start({ database: await sharedDatabase(), proxies: 2 }));
    const load = new Load({ urls: running.urls, clients: 6, thinkMs: 20 });
    for (const proxy of [...running.proxies, ...running.proxies]) {
      await load.more(20);
      await proxy.stop('SIGKILL');
      await load.more(5);
      await proxy.start();
    }
    await load.more(10);
    await load.stop();
    const lost = await lateOnes(running, load.receipts);
    const rows = await checkBooks(running, load.receipts, { match: 'superset', lost });
    const known = new Set(running.upstream.requests.map((request) => request.requestId));
    const strangers = rows.filter(
      (row) => row.upstreamRequestId !== null && !known.has(row.upstreamRequestId),
    );
    expect(strangers).toEqual([]);
  });
});
