import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { freePort, until } from '../fixtures/program.ts';
import { checkBooks } from './ledger.ts';
import { Load, send } from './load.ts';
import { sharedDatabase, Site } from './site.ts';
import { mountSmallDisk, unmount } from './small-disk.ts';
import { TcpRelay } from './tcp-relay.ts';
import type { Receipt } from './load.ts';
import type { ProxyProcess, SiteDatabase } from './site.ts';

const MEBIBYTE = 2 ** 20;

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site | undefined;
let cleanUp: (() => Promise<void> | void)[] = [];
let keepServer: SiteDatabase;
beforeAll(async () => {
  keepServer = await sharedDatabase();
});
afterAll(() => keepServer.remove());
afterEach(async () => {
  await site?.end();
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
  await site?.stop();
  site = undefined;
});

/** A database URL where nobody listens. */
async function nowhere(): Promise<{ DATABASE_URL: string }> {
  return { DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/nothing` };
}

function question(prompt: string): string {
  return JSON.stringify({
    model: 'claude-opus-5-5',
    max_tokens: 1000,
    messages: [{ role: 'user', content: prompt }],
  });
}

/** Records exchanges into a spool that nobody ships, one after the other, and kills the process. */
async function spoolOf(proxy: ProxyProcess, count: number): Promise<Receipt[]> {
  await proxy.start(await nowhere());
  const receipts: Receipt[] = [];
  for (let index = 0; index < count; index += 1) {
    receipts.push(await send(proxy.url, { body: question(`marker-${index}- ${'text '.repeat(400)}`) }));
  }
  await proxy.stop('SIGKILL');
  return receipts;
}

describe('a spool that a crash has left', () => {
  it('with a torn last record gives all but that one exchange, which shows as interrupted', async () => {
    const running = (site = await Site.prepare({ database: await sharedDatabase() }));
    const { proxy } = running;
    const receipts = await spoolOf(proxy, 10);
    const segment = (await proxy.segments()).at(-1);
    await truncate(segment?.file ?? '', (segment?.size ?? 0) - 5);
    await proxy.start();
    const torn = receipts.at(-1)?.requestId ?? '';
    const rows = await checkBooks(running, receipts.slice(0, -1));
    const outcomes = rows.filter((row) => row.upstreamRequestId === torn).map((row) => row.outcome);
    expect(outcomes).toEqual(['interrupted']);
    expect(rows).toHaveLength(10);
    expect(await proxy.metric('recorder_interrupted_exchanges_total')).toBe(1);
  });

  it.each([
    ['request', 'marker-6- text'],
    ['answer', 'You said: marker-6-'],
  ])(
    'with a flipped byte in the %s of one exchange gives all others, and keeps the remains',
    async (_, place) => {
      const running = (site = await Site.prepare({ database: await sharedDatabase() }));
      const { proxy } = running;
      const receipts = await spoolOf(proxy, 12);
      const segment = (await proxy.segments())[0]?.file ?? '';
      const at = (await readFile(segment)).indexOf(place);
      expect(at).toBeGreaterThan(0);
      const file = await open(segment, 'r+');
      await file.write(Buffer.from('X'), 0, 1, at);
      await file.close();
      await proxy.start();
      const damaged = receipts[6]?.requestId ?? '';
      const rest = receipts.filter((receipt) => receipt.requestId !== damaged);
      await checkBooks(running, rest, { match: 'superset' });
      expect(await proxy.metric('recorder_quarantined_records_total')).toBeGreaterThan(0);
      expect((await proxy.quarantined()).length).toBeGreaterThan(0);
    },
  );

  it('is shipped once although the process dies in the middle of shipping', async () => {
    const running = (site = await Site.prepare({ database: await sharedDatabase(), proxies: 2 }));
    const [proxy, other] = running.proxies as [ProxyProcess, ProxyProcess];
    const receipts = await spoolOf(proxy, 60);
    await other.start();
    for (let round = 0; round < 4; round += 1) {
      receipts.push(await send(other.url, { body: question(`other ${round}`) }));
      await proxy.start();
      await proxy.stop('SIGKILL');
    }
    await proxy.start();
    expect(await checkBooks(running, receipts)).toHaveLength(receipts.length);
  });
});

describe('two proxies with one spool folder', () => {
  it('are one: the second says why it ends, the first records on', async () => {
    const running = (site = await Site.start({ database: await sharedDatabase() }));
    const { proxy } = running;
    const load = new Load({ urls: running.urls });
    await load.more(5);
    const ports = { PORT: String(await freePort()), METRICS_PORT: String(await freePort()) };
    const second = await proxy.startInVain(ports);
    expect(second.code).toBe(1);
    expect(second.log).toMatch(/spool folder \S+ is in use by process \d+/v);
    await load.more(10);
    await load.stop();
    expect(load.failures).toEqual([]);
    await checkBooks(running, load.receipts);
  });
});

describe('a spool that is full', () => {
  it('by SPOOL_MAX_BYTES lets clients be served, counts what is lost, and takes up again', async () => {
    let relay: TcpRelay | undefined;
    const running = (site = await Site.prepare({
      database: await sharedDatabase(),
      proxyEnv: { SPOOL_MAX_BYTES: '256MiB' },
      route: async (url) => {
        relay = await TcpRelay.start(Number(new URL(url).port));
        return relay.route(url);
      },
    }));
    cleanUp.push(async () => relay?.close());
    relay?.refuse();
    const { proxy } = running;
    await proxy.start();
    const receipts: Receipt[] = [];
    for (let index = 0; index < 10; index += 1) {
      receipts.push(await send(proxy.url, { body: question(`${index} ${'spool '.repeat(5 * MEBIBYTE)}`) }));
    }
    const lost = await proxy.metric('recorder_lost_exchanges_total', 'spool_full');
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(5);
    expect(await proxy.metric('spool_full')).toBe(1);
    expect(await proxy.metric('spool_bytes')).toBeLessThanOrEqual(256 * MEBIBYTE);
    expect(proxy.log).toContain('no room to record: exchanges are served but not stored');
    relay?.pass();
    await proxy.untilMetric('spool_full', (full) => full === 0);
    const after = [await send(proxy.url, { body: question('recorded again') })];
    expect(proxy.log).toContain('exchanges are recorded again');
    const rows = await checkBooks(running, [...after, ...receipts], { lostCount: lost, bodies: 3 });
    expect(rows.map((row) => row.upstreamRequestId)).toContain(after[0]?.requestId);
    expect(await proxy.metric('recorder_lost_exchanges_total')).toBe(lost);
  });

  it('by its disk lets clients be served, counts what is lost, and takes up again', async (context) => {
    const running = (site = await Site.prepare({ database: await sharedDatabase() }));
    const { proxy } = running;
    const reason = await mountSmallDisk(proxy.spoolDir, 24 * MEBIBYTE);
    context.skip(reason !== undefined, reason);
    cleanUp.push(() => unmount(proxy.spoolDir));
    await proxy.start();
    const receipts = [await send(proxy.url, { body: question('before') })];
    await proxy.untilShipped();
    const filler = path.join(proxy.spoolDir, 'filler');
    await writeFile(filler, Buffer.alloc(23 * MEBIBYTE + 900_000));
    for (let index = 0; index < 6; index += 1) {
      receipts.push(await send(proxy.url, { body: question(`${index} ${'disk '.repeat(200_000)}`) }));
    }
    const lost = await proxy.untilMetric('recorder_lost_exchanges_total', (count) => count >= 6, 'disk_full');
    expect(lost).toBe(6);
    expect(await proxy.metric('spool_failing')).toBe(1);
    expect(proxy.log).toContain('the spool cannot be written: exchanges are served but not stored');
    await rm(filler);
    const after = await until('an exchange to be recorded again', async () => {
      const receipt = await send(proxy.url, { body: question('after') });
      const failing = await proxy.metric('spool_failing');
      receipts.push(receipt);
      return failing === 0 ? receipt : undefined;
    });
    expect(proxy.log).toContain('the spool can be written again');
    const lostNow = await proxy.metric('recorder_lost_exchanges_total');
    const rows = await checkBooks(running, receipts, { lostCount: lostNow });
    expect(rows.map((row) => row.upstreamRequestId)).toContain(after.requestId);
  });
});
