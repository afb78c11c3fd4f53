import {
  currentChangeCursor,
  findRequest,
  listRequests,
  listSummaries,
  readChanges,
  storageStats,
  sumUsage,
} from '@claude-nexus/database';
import type { Queryable } from '@claude-nexus/database';
import type { ChangePage, DashboardStore, StoredExchange } from '../store.ts';
import { readExchangeFrames, readRequestBody, readResponseBody } from './body-reader.ts';
import { orFailure } from './failures.ts';
import { headersOf, timingOf } from './frame-meta.ts';
import { toFacts, toStorageInfo, toStorageStats, toSummary } from './rows.ts';

/** The store over PostgreSQL. */
export function createDatabaseStore(client: Queryable): DashboardStore {
  const store: DashboardStore = {
    listRequests: async (filters, page) => {
      const { requests, nextBefore } = await listRequests(client, filters, page);
      return { requests: requests.map(toSummary), nextBefore };
    },
    findSummaries: async (ids) => (await listSummaries(client, ids)).map(toSummary),
    findExchange: (id) => findExchange(client, id),
    readRequestBody: async (id) => {
      const row = await findRequest(client, id);
      return row && readRequestBody(client, row);
    },
    readResponseBody: async (id) => {
      const row = await findRequest(client, id);
      return row && readResponseBody(client, row);
    },
    storageStats: async (window) => toStorageStats(await storageStats(client, window), window),
    usageTotals: (window) => sumUsage(client, window),
    currentPosition: () => currentChangeCursor(client),
    readChanges: (after, limit) => changesAfter(client, after, limit),
  };
  return withFailures(store);
}

async function findExchange(client: Queryable, id: string): Promise<StoredExchange | undefined> {
  const row = await findRequest(client, id);
  if (row === undefined) return undefined;
  const { request, response } = await readExchangeFrames(client, id);
  return {
    summary: toSummary(row),
    facts: toFacts(row),
    requestHeaders: headersOf(request?.meta),
    responseHeaders: headersOf(response?.meta),
    timing: timingOf(response?.sections.get('chunks')),
    storage: toStorageInfo(row),
  };
}

async function changesAfter(
  client: Queryable,
  after: string,
  limit: number,
): Promise<ChangePage | undefined> {
  const page = await readChanges(client, after, limit);
  if (page === undefined) return undefined;
  const changes = page.changes.map(({ cursor, requestId }) => ({ position: cursor, requestId }));
  return { changes, position: page.cursor, more: page.more };
}

/** The same store, its errors as the answers they amount to. */
function withFailures(store: DashboardStore): DashboardStore {
  return {
    listRequests: (...args) => orFailure(() => store.listRequests(...args)),
    findSummaries: (...args) => orFailure(() => store.findSummaries(...args)),
    findExchange: (...args) => orFailure(() => store.findExchange(...args)),
    readRequestBody: (...args) => orFailure(() => store.readRequestBody(...args)),
    readResponseBody: (...args) => orFailure(() => store.readResponseBody(...args)),
    storageStats: (...args) => orFailure(() => store.storageStats(...args)),
    usageTotals: (...args) => orFailure(() => store.usageTotals(...args)),
    currentPosition: () => orFailure(() => store.currentPosition()),
    readChanges: (...args) => orFailure(() => store.readChanges(...args)),
  };
}
