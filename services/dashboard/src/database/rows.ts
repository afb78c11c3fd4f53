import type {
  Partition,
  RequestSummary,
  StorageInfo,
  StorageStats,
  UsageGroup,
} from '@claude-nexus/api-contract';
import type {
  StorageStats as StoredStats,
  RequestSummaryRow,
  StoredPartition,
  StoredRequest,
  UsageGroup as StoredGroup,
} from '@claude-nexus/database';
import type { ExchangeFacts, StatsWindow } from '../store.ts';

/** A row as the API shows it: what is not known is null, times are RFC 3339. */
export function toSummary(row: RequestSummaryRow): RequestSummary {
  return {
    id: row.id,
    upstreamRequestId: row.upstreamRequestId ?? null,
    upstreamMessageId: row.upstreamMessageId ?? null,
    domain: row.domain,
    accountId: row.accountId ?? null,
    conversationId: null,
    branchId: null,
    parentRequestId: null,
    retryOf: null,
    sessionId: row.sessionId ?? null,
    agentId: row.agentId ?? null,
    parentAgentId: row.parentAgentId ?? null,
    kind: row.kind,
    outcome: row.outcome,
    status: row.status ?? null,
    errorType: row.errorType ?? null,
    model: row.model ?? null,
    stopReason: row.stopReason ?? null,
    streaming: row.streaming,
    startedAt: iso(row.startedAt),
    ...toMeasures(row),
  };
}

type Measures = Pick<
  RequestSummary,
  | 'firstTokenMs'
  | 'durationMs'
  | 'inputTokens'
  | 'outputTokens'
  | 'cacheReadTokens'
  | 'cacheWrite5mTokens'
  | 'cacheWrite1hTokens'
  | 'webSearchRequests'
  | 'costUsd'
  | 'toolCallCount'
  | 'messageCount'
>;

function toMeasures(row: RequestSummaryRow): Measures {
  return {
    firstTokenMs: row.firstTokenMs ?? null,
    durationMs: row.durationMs ?? null,
    inputTokens: row.inputTokens ?? null,
    outputTokens: row.outputTokens ?? null,
    cacheReadTokens: row.cacheReadTokens ?? null,
    cacheWrite5mTokens: row.cacheWrite5mTokens ?? null,
    cacheWrite1hTokens: row.cacheWrite1hTokens ?? null,
    webSearchRequests: row.webSearchRequests ?? null,
    costUsd: row.costUsd ?? null,
    toolCallCount: row.toolCallCount ?? null,
    messageCount: row.messageCount ?? null,
  };
}

export function toFacts(row: StoredRequest): ExchangeFacts {
  return {
    method: row.method,
    path: row.path,
    clientKeyName: row.clientKeyName ?? null,
    promptId: row.promptId ?? null,
    requestClass: row.requestClass ?? null,
    agentType: row.agentType ?? null,
    deviceId: row.deviceId ?? null,
    accountUuid: row.accountUuid ?? null,
    userAgent: row.userAgent ?? null,
    errorMessage: row.errorMessage ?? null,
    serviceTier: row.serviceTier ?? null,
    thinkingTokens: row.thinkingTokens ?? null,
    webFetchRequests: row.webFetchRequests ?? null,
  };
}

export function toStorageInfo(row: StoredRequest): StorageInfo {
  return {
    requestForm: row.requestForm,
    requestLength: row.requestLength,
    requestSha256: row.requestSha256?.toString('hex') ?? null,
    requestEncoding: row.requestEncoding ?? null,
    responseForm: row.responseForm,
    responseLength: row.responseLength,
    responseSha256: row.responseSha256?.toString('hex') ?? null,
    responseEncoding: row.responseEncoding ?? null,
    recorderId: row.recorderId,
  };
}

export function toStorageStats(stats: StoredStats, window: StatsWindow): StorageStats {
  const { tables, recorders } = stats;
  return {
    from: iso(window.from),
    to: iso(window.to),
    domain: window.domain ?? null,
    totals: stats.totals,
    byModel: stats.byModel.map(toGroup),
    byAccount: stats.byAccount.map(toGroup),
    byKind: stats.byKind.map(toGroup),
    byOutcome: stats.byOutcome.map(toGroup),
    storedBytes: {
      total: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      tables: tables.map(({ table, bytes }) => ({ table, bytes })),
    },
    partitions: tables.flatMap(({ table, partitions }) =>
      partitions.map((partition) => toPartition(table, partition)),
    ),
    recorders: recorders.map(({ recorderId, updatedAt, state }) => ({
      recorderId,
      updatedAt: iso(updatedAt),
      state: { ...state },
    })),
  };
}

function toGroup({ key, totals }: StoredGroup): UsageGroup {
  return { key: key ?? null, totals };
}

function toPartition(table: string, { name, from, to, bytes }: StoredPartition): Partition {
  return { table, name, from: isoOrNull(from), to: isoOrNull(to), bytes };
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : iso(at);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
