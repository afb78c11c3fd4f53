import { afterEach, describe, expect, it, vi } from 'vitest';

import { checkBooks } from './ledger.ts';
import { API_KEY, Load } from './load.ts';
import { sharedDatabase, Site } from './site.ts';
import { TcpRelay } from './tcp-relay.ts';

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site | undefined;
let relay: TcpRelay | undefined;
afterEach(async () => {
  await site?.stop();
  await relay?.close();
  site = undefined;
  relay = undefined;
});

async function siteBehindRelay(): Promise<Site> {
  site = await Site.start({
    database: await sharedDatabase(),
    proxyEnv: { DRAIN_TIMEOUT: '1s', SPOOL_DURABLE: 'false' },
    route: async (url) => {
      relay = await TcpRelay.start(Number(new URL(url).port));
      return relay.route(url);
    },
  });
  return site;
}

describe('a network that swallows what goes to the database', () => {
  it('does not keep the proxy from ending in time, and what is abandoned is counted', async () => {
    const running = await siteBehindRelay();
    const load = new Load({ urls: running.urls });
    await load.more(20);
    const tokenStats = async (): Promise<Response | undefined> =>
      fetch(`${running.proxy.url}/token-stats`, { headers: { 'x-api-key': API_KEY } }).catch(() => undefined);
    await tokenStats();
    relay?.hold();
    await load.more(20);
    // A question that will never be answered holds a connection of the statistics.
    const unanswered = tokenStats();
    await load.stop();
    const asked = Date.now();
    const code = await running.proxy.stop();
    expect(code).toBe(0);
    expect(Date.now() - asked).toBeLessThan(1000 + 15_000);
    await unanswered;
    expect(running.proxy.log).toMatch(/"exchanges":\d+.*abandoned/v);
    relay?.pass();
    // A process that gave the spool up has not touched it: should the folder survive, nothing is lost after all.
    await running.proxy.start();
    await checkBooks(running, load.receipts);
  });
});
