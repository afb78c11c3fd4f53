import type { RequestSummary, StorageStats } from '@claude-nexus/api-contract';
import { expect } from 'vitest';

import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { DASHBOARD_KEY } from '../fixtures/gateway.ts';
import { freePort, startService, until } from '../fixtures/program.ts';
import { API_KEY, sha256 } from './load.ts';
import type { Receipt } from './load.ts';
import type { Site } from './site.ts';

/** What the books must say, other than that everything received is in them. */
export interface BooksOptions {
  /**
   * `equal`: nothing else is recorded as completed. `superset` where a process was killed: an exchange whose end
   * was recorded may have been cut before its last byte left. Default `equal`.
   */
  readonly match?: 'equal' | 'superset';
  /** Exchanges that need not be there, because a killed process would have counted their loss. */
  readonly lost?: readonly string[];
  /** Exactly so many exchanges are not there: their loss was counted. */
  readonly lostCount?: number;
  /** How many exchanges to compare byte for byte; default all. */
  readonly bodies?: number;
}

/**
 * Compares what clients received with what is stored, through a dashboard started for this: every exchange received
 * in full is there once, with the same bytes, and all totals are the sums over the rows.
 *
 * @returns all rows
 */
export async function checkBooks(
  site: Site,
  receipts: readonly Receipt[],
  options: BooksOptions = {},
): Promise<RequestSummary[]> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const program = startService('dashboard', {
    HOST: '127.0.0.1',
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    DASHBOARD_API_KEY: DASHBOARD_KEY,
    DATABASE_URL: site.database.url,
  });
  try {
    await program.ready(`${url}/health/ready`);
    const dashboard = new DashboardClient(url, DASHBOARD_KEY);
    const rows = await settledRows(dashboard, receipts, options);
    const lost = options.lostCount === undefined ? options.lost : missingFrom(rows, receipts);
    checkRows(rows, receipts, { ...options, lost });
    await checkBodies(dashboard, rows, receipts.slice(0, options.bodies));
    await checkTotals(site, dashboard, rows);
    return rows;
  } finally {
    await program.stop();
  }
}

/** Below the 50 ms for which the end of an answer waits for its record: the test's own clock is not exact. */
const LATE_MS = 30;

/**
 * The answers whose last byte came so long after the upstream had sent it that the proxy may have released it
 * unrecorded: it counts these as late, and a killed process may lose them.
 */
export async function lateOnes(site: Site, receipts: readonly Receipt[]): Promise<string[]> {
  const sent = new Map(site.upstream.requests.map((exchange) => [exchange.requestId, exchange.closed]));
  const late: string[] = [];
  for (const { requestId, receivedAt } of receipts) {
    const closed = await sent.get(requestId);
    if (closed === undefined || receivedAt - closed.at >= LATE_MS) late.push(requestId);
  }
  return late;
}

async function settledRows(
  dashboard: DashboardClient,
  receipts: readonly Receipt[],
  options: BooksOptions,
): Promise<RequestSummary[]> {
  const { lost = [], lostCount = 0 } = options;
  const kept = receipts.filter((receipt) => !lost.includes(receipt.requestId));
  let rows: RequestSummary[] = [];
  let missing: string[] = [];
  try {
    return await until('every received exchange to be stored', async () => {
      rows = await dashboard.allRows();
      missing = missingFrom(rows, kept);
      const settled = missing.length === lostCount && rows.every((row) => row.outcome !== 'pending');
      return settled ? rows : undefined;
    });
  } catch {
    const pending = rows.filter((row) => row.outcome === 'pending').map((row) => row.id);
    throw new Error(
      `expected ${lostCount} exchanges to be missing and none pending: ${JSON.stringify({ missing, pending })}`,
    );
  }
}

/** Those of the receipts that are not stored as ended, or, where the answer was a good one, as completed. */
function missingFrom(rows: readonly RequestSummary[], receipts: readonly Receipt[]): string[] {
  const outcomes = new Map(rows.map((row) => [row.upstreamRequestId, row.outcome]));
  return receipts
    .filter(({ requestId, status }) => {
      const outcome = outcomes.get(requestId) ?? 'pending';
      return status === 200 ? outcome !== 'completed' : outcome === 'pending';
    })
    .map((receipt) => receipt.requestId);
}

function checkRows(
  rows: readonly RequestSummary[],
  receipts: readonly Receipt[],
  { match = 'equal', lost = [] }: { match?: BooksOptions['match']; lost?: readonly string[] | undefined },
): void {
  const received = receipts.map((receipt) => receipt.requestId).filter((id) => !lost.includes(id));
  const ok = receipts.filter((receipt) => receipt.status === 200 && !lost.includes(receipt.requestId));
  const completed = rows.filter((row) => row.outcome === 'completed').map((row) => row.upstreamRequestId);
  const known = rows.map((row) => row.upstreamRequestId).filter((id) => id !== null);
  expect(new Set(rows.map((row) => row.id)).size, 'no row twice').toBe(rows.length);
  expect(new Set(known).size, 'no exchange twice').toBe(known.length);
  expect(new Set(received).size, 'no answer twice').toBe(received.length);
  if (match === 'equal') {
    expect(new Set(completed)).toEqual(new Set(ok.map((receipt) => receipt.requestId)));
  } else {
    expect(ok.filter((receipt) => !completed.includes(receipt.requestId))).toEqual([]);
  }
}

async function checkBodies(
  dashboard: DashboardClient,
  rows: readonly RequestSummary[],
  receipts: readonly Receipt[],
): Promise<void> {
  const byRequestId = new Map(rows.map((row) => [row.upstreamRequestId, row.id]));
  const left = receipts.values();
  const check = async (): Promise<void> => {
    for (const receipt of left) {
      const id = byRequestId.get(receipt.requestId);
      if (id !== undefined) await checkBody(dashboard, id, receipt);
    }
  };
  await Promise.all([check(), check(), check()]);
}

async function checkBody(dashboard: DashboardClient, id: string, receipt: Receipt): Promise<void> {
  const request = await dashboard.body(id, 'request-body');
  expect(request.sha256, `request of ${receipt.requestId}`).toBe(receipt.requestSha256);
  // Nothing is stored of an answer without a body.
  if (receipt.responseSha256 === sha256('')) return;
  const response = await dashboard.body(id, 'response-body');
  if (receipt.text === undefined) {
    expect(response.sha256, `answer of ${receipt.requestId}`).toBe(receipt.responseSha256);
    return;
  }
  const { content } = JSON.parse(response.bytes.toString()) as { content: { text?: string }[] };
  expect(content.map((block) => block.text ?? '').join('')).toBe(receipt.text);
}

const SUMS = [
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWrite5mTokens',
  'cacheWrite1hTokens',
  'webSearchRequests',
] as const;

type Totals = Record<(typeof SUMS)[number] | 'requests', number>;

function sumsOf(rows: readonly RequestSummary[]): Totals {
  const sum = (name: (typeof SUMS)[number]): number =>
    rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  return {
    requests: rows.length,
    ...(Object.fromEntries(SUMS.map((name) => [name, sum(name)])) as Omit<Totals, 'requests'>),
  };
}

async function checkTotals(
  site: Site,
  dashboard: DashboardClient,
  rows: readonly RequestSummary[],
): Promise<void> {
  const expected = sumsOf(rows);
  const stats: StorageStats = await dashboard.storageStats();
  expect(stats.totals, 'storage statistics').toMatchObject(expected);
  const cost = rows.reduce((total, row) => total + Number(row.costUsd ?? 0), 0);
  expect(Number(stats.totals.costUsd)).toBeCloseTo(cost, 9);
  for (const proxy of site.proxies) {
    if ((await proxy.health('live')) !== 200) continue;
    const answer = await fetch(`${proxy.url}/token-stats`, { headers: { 'x-api-key': API_KEY } });
    expect(await answer.json(), `token totals of ${proxy.url}`).toMatchObject(expected);
  }
}
