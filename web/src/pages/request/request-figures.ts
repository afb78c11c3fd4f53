import type { RequestDetail } from '@claude-nexus/api-contract';
import { formatCount, formatDuration, formatInstant, formatMoney, formatShare } from '../../common/format.ts';
import { cacheWriteTokens, cachedShare, promptTokens } from '../../common/tokens.ts';
import type { Tile } from '../../components/summary-tiles/summary-tiles.ts';
import { requestsHref } from '../../routes.ts';

/** The figures at the head of a request's page. */
export function tiles(detail: RequestDetail): Tile[] {
  const unpriced = detail.costUsd === null && detail.inputTokens !== null;
  const share = cachedShare(detail);
  const { cacheWrite1hTokens: hour, thinkingTokens: thinking } = detail;
  return [
    {
      label: 'Prompt tokens',
      value: formatCount(promptTokens(detail)),
      ...(detail.inputTokens !== null && { hint: `${formatCount(detail.inputTokens)} uncached` }),
    },
    {
      label: 'Cache reads',
      value: formatCount(detail.cacheReadTokens),
      ...(share !== null && { hint: `${formatShare(share)} of the prompt` }),
    },
    {
      label: 'Cache writes',
      value: formatCount(cacheWriteTokens(detail)),
      ...(hour && { hint: `${formatCount(hour)} for 1 hour` }),
    },
    {
      label: 'Output tokens',
      value: formatCount(detail.outputTokens),
      ...(thinking && { hint: `${formatCount(thinking)} thinking` }),
    },
    { label: 'Cost', value: formatMoney(detail.costUsd), ...(unpriced && { hint: 'price unknown' }) },
    { label: 'First token', value: formatDuration(detail.firstTokenMs) },
    { label: 'Duration', value: formatDuration(detail.durationMs) },
  ];
}

/** Something known about a request; with `href`, the list of requests that share it. */
export interface Fact {
  name: string;
  value: string;
  href?: string;
}

/** What else is known of a request; unknown values are left out. */
export function facts(detail: RequestDetail): Fact[] {
  const all: [string, string | number | null, filter?: string][] = [
    ['Started', formatInstant(detail.startedAt)],
    ['Endpoint', `${detail.method} ${detail.path}`],
    ['Status', detail.status],
    ['Stop reason', detail.stopReason],
    ['Kind', detail.kind],
    ['Messages', detail.messageCount],
    ['Tool calls', detail.toolCallCount],
    ['Web searches', detail.webSearchRequests || null],
    ['Streaming', detail.streaming ? 'yes' : 'no'],
    ['Session', detail.sessionId, 'session'],
    ['Agent', detail.agentId, 'agent'],
    ['Parent agent', detail.parentAgentId, 'agent'],
    ['Agent type', detail.agentType],
    ['Prompt', detail.promptId],
    ['Domain', detail.domain, 'domain'],
    ['Account', detail.accountId, 'account'],
    ['Client key', detail.clientKeyName],
    ['User agent', detail.userAgent],
    ['Service tier', detail.serviceTier],
    ['Upstream request', detail.upstreamRequestId],
    ['Upstream message', detail.upstreamMessageId],
    ['Id', detail.id],
    ['Request SHA-256', detail.storage.requestSha256],
    ['Response SHA-256', detail.storage.responseSha256],
    ['Recorder', detail.storage.recorderId],
  ];
  return all.flatMap(([name, value, filter]) => {
    if (value === null || value === '') return [];
    const href = filter && requestsHref(`?${new URLSearchParams({ [filter]: String(value) })}`);
    return [{ name, value: String(value), ...(href && { href }) }];
  });
}
