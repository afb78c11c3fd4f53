import type { RequestDetail } from '@claude-nexus/api-contract';
import { formatCount, formatDuration, formatMoney } from '../../common/format.ts';
import type { Tile } from '../../components/summary-tiles/summary-tiles.ts';

/** The figures at the head of a request's page. */
export function tiles(detail: RequestDetail): Tile[] {
  const { cacheWrite5mTokens, cacheWrite1hTokens } = detail;
  const unpriced = detail.costUsd === null && detail.inputTokens !== null;
  const writes = cacheWrite5mTokens === null ? null : cacheWrite5mTokens + (cacheWrite1hTokens ?? 0);
  return [
    { label: 'Input tokens', value: formatCount(detail.inputTokens) },
    { label: 'Cache reads', value: formatCount(detail.cacheReadTokens) },
    {
      label: 'Cache writes',
      value: formatCount(writes),
      ...(cacheWrite1hTokens && { hint: `${formatCount(cacheWrite1hTokens)} for 1 h` }),
    },
    { label: 'Output tokens', value: formatCount(detail.outputTokens) },
    {
      label: 'Cost',
      value: formatMoney(detail.costUsd),
      ...(unpriced && { hint: 'price unknown' }),
    },
    { label: 'First token', value: formatDuration(detail.firstTokenMs) },
    { label: 'Duration', value: formatDuration(detail.durationMs) },
  ];
}

/** Names and values of what else is known; unknown ones are left out. */
export function facts(detail: RequestDetail): [name: string, value: string][] {
  const all: [string, string | number | null][] = [
    ['Id', detail.id],
    ['Method', `${detail.method} ${detail.path}`],
    ['Status', detail.status],
    ['Kind', detail.kind],
    ['Stop reason', detail.stopReason],
    ['Streaming', detail.streaming ? 'yes' : 'no'],
    ['Domain', detail.domain],
    ['Account', detail.accountId],
    ['Client key', detail.clientKeyName],
    ['Session', detail.sessionId],
    ['Agent', detail.agentId],
    ['Parent agent', detail.parentAgentId],
    ['Agent type', detail.agentType],
    ['Prompt', detail.promptId],
    ['Upstream request', detail.upstreamRequestId],
    ['Upstream message', detail.upstreamMessageId],
    ['User agent', detail.userAgent],
    ['Tool calls', detail.toolCallCount],
    ['Messages', detail.messageCount],
    ['Thinking tokens', detail.thinkingTokens],
    ['Web searches', detail.webSearchRequests],
    ['Service tier', detail.serviceTier],
    ['Request SHA-256', detail.storage.requestSha256],
    ['Recorder', detail.storage.recorderId],
  ];
  return all.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)] as [string, string]]));
}
