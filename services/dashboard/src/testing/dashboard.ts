import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@claude-nexus/runtime';
import { buildDashboard } from '../app.ts';
import type { Dashboard, DashboardOptions } from '../app.ts';
import { FakeStore } from './fake-store.ts';
import { START } from './fixtures.ts';

/** The key of the tests' dashboard. */
export const KEY = 'correct-horse-battery-staple';

/** A dashboard over a fake store and a clock that stands still. */
export interface TestDashboard extends Dashboard {
  readonly store: FakeStore;
  readonly clock: { now: number };
  /** GET with the key. */
  get(url: string, headers?: Record<string, string>): ReturnType<typeof inject>;
}

/** Builds one; the feed has read once. Close it with `app.close()`. */
export async function testDashboard(options: Partial<DashboardOptions> = {}): Promise<TestDashboard> {
  const store = new FakeStore();
  const clock = { now: START };
  const logger = createLogger({ name: 'dashboard', level: 'silent' });
  const dashboard = await buildDashboard({
    store,
    logger,
    apiKey: KEY,
    webRoot: join(tmpdir(), 'no-such-web-root'),
    now: () => clock.now,
    wait: async () => undefined,
    ...options,
  });
  await dashboard.feed.read();
  const get = (url: string, headers: Record<string, string> = {}) => inject(dashboard, url, headers);
  return { ...dashboard, store, clock, get };
}

function inject({ app }: Dashboard, url: string, headers: Record<string, string>) {
  return app.inject({ url, headers: { 'x-dashboard-key': KEY, ...headers } });
}
