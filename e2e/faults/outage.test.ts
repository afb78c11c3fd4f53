import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { until } from '../fixtures/program.ts';
import { DatabaseServer } from './database-server.ts';
import { checkBooks } from './ledger.ts';
import { Load, LONG, LONG_ONLY } from './load.ts';
import { Site } from './site.ts';
import { TcpRelay } from './tcp-relay.ts';

/** How long a fault lasts that nothing else ends. */
const FAULT_MS = 1000;

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site<DatabaseServer> | undefined;
let relay: TcpRelay | undefined;
afterEach(async () => {
  await site?.stop();
  await relay?.close();
  site = undefined;
  relay = undefined;
});

/** Runs a load before, during and after a fault; clients must notice nothing. */
async function throughFault(
  running: Site<DatabaseServer>,
  fault: { begin: () => Promise<void>; during?: () => Promise<void>; end: () => Promise<void> },
): Promise<Load> {
  const load = new Load({ urls: running.urls });
  await load.more(20);
  await fault.begin();
  await load.more(20);
  await (fault.during?.() ?? pause(FAULT_MS));
  await load.more(1);
  await fault.end();
  await load.more(20);
  await load.stop();
  expect(load.failures, 'the clients noticed nothing').toEqual([]);
  return load;
}

describe('a database that goes away under load', () => {
  it.for([
    ['is stopped', 'stop', FAULT_MS],
    ['crashes', 'kill', FAULT_MS],
    ['is stopped for a minute', 'stop', 60_000],
  ] as const)('and %s costs nothing with two proxies once it is back', async ([, end, lastsMs], context) => {
    context.skip(lastsMs > FAULT_MS && !LONG, LONG_ONLY);
    const running = (site = await Site.start({ database: await DatabaseServer.start(), proxies: 2 }));
    const load = await throughFault(running, {
      begin: async () => running.database[end](),
      during: async () => pause(lastsMs),
      end: async () => running.database.restart(),
    });
    await checkBooks(running, load.receipts);
    for (const proxy of running.proxies) {
      expect(proxy.log).toContain('the database takes exchanges again');
      expect(await proxy.metric('recorder_quarantined_records_total')).toBe(0);
      expect(await proxy.metric('recorder_lost_exchanges_total')).toBe(0);
    }
  });

  it('and is read-only for a while costs nothing', async () => {
    const running = (site = await Site.start({ database: await DatabaseServer.start() }));
    const readOnly = async (value: 'on' | 'off'): Promise<void> =>
      running.database.run(
        `alter system set default_transaction_read_only = ${value}`,
        'select pg_reload_conf()',
      );
    const load = await throughFault(running, {
      begin: async () => readOnly('on'),
      during: async () => {
        await running.proxy.untilMetric('recorder_batch_failures_total', (count) => count > 0, 'outage');
      },
      end: async () => readOnly('off'),
    });
    await checkBooks(running, load.receipts);
    expect(await running.proxy.metric('recorder_quarantined_records_total')).toBe(0);
  });

  it('and refuses every exchange for a while, for a reason of its own, costs nothing', async () => {
    const running = (site = await Site.start({ database: await DatabaseServer.start() }));
    const load = await throughFault(running, {
      begin: async () =>
        running.database.run('alter table nexus.request add constraint broken check (false) not valid'),
      during: async () => {
        await running.proxy.untilMetric('recorder_batch_failures_total', (count) => count > 20, 'bad-record');
      },
      end: async () => running.database.run('alter table nexus.request drop constraint broken'),
    });
    await checkBooks(running, load.receipts);
    expect(await running.proxy.metric('recorder_quarantined_records_total')).toBe(0);
  });

  it('and resets connections in the middle of batches costs nothing', async () => {
    const running = (site = await Site.start({
      database: await DatabaseServer.start(),
      route: async (url) => {
        relay = await TcpRelay.start(Number(new URL(url).port));
        return relay.route(url);
      },
    }));
    const load = await throughFault(running, {
      begin: async () => relay?.resetAfter(3000, 9000, 20_000, 35_000, 60_000),
      during: async () => {
        await until('all resets to have happened', async () => (relay?.resetsLeft === 0 ? true : undefined));
      },
      end: async () => {},
    });
    expect(relay?.cuts).toBe(5);
    await checkBooks(running, load.receipts);
    expect(await running.proxy.metric('recorder_quarantined_records_total')).toBe(0);
  });
});

describe('a database that is not there when the proxy starts', () => {
  it('is waited for while clients are served, and gets everything', async () => {
    const running = (site = await Site.prepare({ database: await DatabaseServer.start() }));
    await running.database.stop();
    await running.proxy.start();
    const load = new Load({ urls: running.urls });
    await load.more(30);
    expect(await running.proxy.metric('recorder_unshipped_exchanges')).toBeGreaterThan(0);
    await running.database.restart();
    await load.more(10);
    await load.stop();
    expect(load.failures).toEqual([]);
    await checkBooks(running, load.receipts);
  });
});
