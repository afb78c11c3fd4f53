import type {
  HeaderPair,
  RequestSummary,
  StorageStats,
  Timing,
  UsageTotals,
} from '@claude-nexus/api-contract';
import { compareChangeCursors } from '@claude-nexus/database';
import type {
  ChangePage,
  DashboardStore,
  RequestFilters,
  RequestPage,
  StatsWindow,
  StoredBody,
  StoredExchange,
} from '../store.ts';

/** What a test says about one exchange; the rest is filled in. */
export interface FakeExchange {
  readonly summary: RequestSummary;
  readonly requestHeaders?: HeaderPair[];
  readonly responseHeaders?: HeaderPair[];
  readonly timing?: Timing;
  readonly request?: StoredBody;
  readonly response?: StoredBody;
}

const FACTS: StoredExchange['facts'] = {
  method: 'POST',
  path: '/v1/messages?beta=true',
  clientKeyName: null,
  promptId: null,
  requestClass: null,
  agentType: null,
  deviceId: null,
  accountUuid: null,
  userAgent: 'claude-cli/2.1.330',
  errorMessage: null,
  serviceTier: 'standard',
  thinkingTokens: 0,
  webFetchRequests: 0,
};

/** The store of the tests: exchanges in memory, a change feed, and failures on demand. */
export class FakeStore implements DashboardStore {
  readonly #exchanges = new Map<string, FakeExchange>();
  #changes: { position: string; requestId: string }[] = [];
  #keptFrom = '0-0';
  #sequence = 0;
  /** Thrown by every method while set. */
  failure: Error | undefined;
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  /** Ids looked at by one list call at most. */
  scanBudget = Number.POSITIVE_INFINITY;

  /** Stores an exchange, or a new state of it, and appends to the change feed. */
  put(exchange: FakeExchange): string {
    this.#exchanges.set(exchange.summary.id, exchange);
    this.#sequence += 1;
    const position = `${100 + this.#sequence}-${this.#sequence}`;
    this.#changes.push({ position, requestId: exchange.summary.id });
    return position;
  }

  /** Forgets all changes so far, as the feed does after an hour. */
  expireChanges(): void {
    this.#keptFrom = this.#changes.at(-1)?.position ?? this.#keptFrom;
    this.#changes = [];
  }

  async listRequests(
    filters: RequestFilters,
    page: { limit: number; before?: string },
  ): Promise<RequestPage> {
    this.#called('listRequests');
    const ids = [...this.#exchanges.keys()].toSorted().toReversed();
    const rest = ids.filter((id) => page.before === undefined || id < page.before);
    const requests: RequestSummary[] = [];
    let scanned = 0;
    for (const id of rest) {
      if (requests.length === page.limit || scanned === this.scanBudget) break;
      scanned += 1;
      const summary = this.#exchanges.get(id)?.summary;
      if (summary !== undefined && matches(summary, filters)) requests.push(summary);
    }
    return { requests, nextBefore: scanned < rest.length ? rest[scanned - 1] : undefined };
  }

  async findSummaries(ids: readonly string[]): Promise<RequestSummary[]> {
    this.#called('findSummaries');
    return ids.map((id) => this.#exchanges.get(id)?.summary).filter((summary) => summary !== undefined);
  }

  async findExchange(id: string): Promise<StoredExchange | undefined> {
    this.#called('findExchange');
    const exchange = this.#exchanges.get(id);
    return exchange && toStored(exchange);
  }

  async readRequestBody(id: string): Promise<StoredBody | undefined> {
    this.#called('readRequestBody');
    return this.#exchanges.get(id)?.request;
  }

  async readResponseBody(id: string): Promise<StoredBody | undefined> {
    this.#called('readResponseBody');
    return this.#exchanges.get(id)?.response;
  }

  async storageStats(window: StatsWindow): Promise<StorageStats> {
    this.#called('storageStats');
    return {
      from: new Date(window.from).toISOString(),
      to: new Date(window.to).toISOString(),
      domain: window.domain ?? null,
      totals: this.#totals(window.domain),
      byModel: [],
      byAccount: [],
      byKind: [],
      byOutcome: [],
      storedBytes: { total: 0, tables: [] },
      partitions: [],
      recorders: [],
    };
  }

  async usageTotals(window: StatsWindow): Promise<UsageTotals> {
    this.#called('usageTotals');
    return this.#totals(window.domain);
  }

  async currentPosition(): Promise<string> {
    this.#called('currentPosition');
    return this.#changes.at(-1)?.position ?? this.#keptFrom;
  }

  async readChanges(after: string, limit: number): Promise<ChangePage | undefined> {
    this.#called('readChanges');
    const end = `${101 + this.#sequence}-0`;
    if (compareChangeCursors(after, this.#keptFrom) < 0 || compareChangeCursors(after, end) > 0)
      return undefined;
    const rest = this.#changes.filter(({ position }) => compareChangeCursors(position, after) > 0);
    const changes = rest.slice(0, limit);
    return { changes, position: changes.at(-1)?.position ?? after, more: rest.length > limit };
  }

  #called(name: string): void {
    this.calls.push(name);
    if (this.failure !== undefined) throw this.failure;
  }

  #totals(domain: string | undefined): UsageTotals {
    const summaries = [...this.#exchanges.values()].map(({ summary }) => summary);
    const counted = summaries.filter((summary) => domain === undefined || summary.domain === domain);
    return {
      requests: counted.length,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      webSearchRequests: 0,
      costUsd: '0',
      unpricedRequests: 0,
    };
  }
}

function matches(summary: RequestSummary, filters: RequestFilters): boolean {
  const at = Date.parse(summary.startedAt);
  const equal: [unknown, unknown][] = [
    [filters.domain, summary.domain],
    [filters.account, summary.accountId],
    [filters.model, summary.model],
    [filters.status, summary.status],
    [filters.outcome, summary.outcome],
    [filters.kind, summary.kind],
    [filters.session, summary.sessionId],
    [filters.agent, summary.agentId],
  ];
  return (
    equal.every(([wanted, value]) => wanted === undefined || wanted === value) &&
    at >= (filters.from ?? Number.NEGATIVE_INFINITY) &&
    at < (filters.to ?? Number.POSITIVE_INFINITY)
  );
}

function toStored(exchange: FakeExchange): StoredExchange {
  const { request, response } = exchange;
  return {
    summary: exchange.summary,
    facts: FACTS,
    requestHeaders: exchange.requestHeaders ?? [],
    responseHeaders: exchange.responseHeaders ?? [],
    timing: exchange.timing ?? null,
    storage: {
      requestForm: request === undefined ? 'none' : 'tree',
      requestLength: request?.bytes.length ?? 0,
      requestSha256: null,
      requestEncoding: request?.encoding ?? null,
      responseForm: response === undefined ? 'none' : 'exact',
      responseLength: response?.bytes.length ?? 0,
      responseSha256: null,
      responseEncoding: response?.encoding ?? null,
      recorderId: 'recorder-1',
    },
  };
}
