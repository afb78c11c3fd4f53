import type { StatsEvent } from '@claude-nexus/api-contract';
import { formatCompact, formatCount, formatMoney, formatShare } from '../../common/format.ts';
import { cacheWriteTokens, cachedShare, promptTokens } from '../../common/tokens.ts';
import type { Tile } from '../../components/summary-tiles/summary-tiles.ts';

/** The figures above the list: totals of the last 24 hours. */
export function statsTiles({ totals }: StatsEvent): Tile[] {
  const unpriced = totals.unpricedRequests;
  const share = cachedShare(totals);
  return [
    { label: 'Requests, 24 h', value: formatCount(totals.requests) },
    { label: 'Prompt tokens', value: formatCompact(promptTokens(totals)) },
    {
      label: 'Cache reads',
      value: formatCompact(totals.cacheReadTokens),
      ...(share !== null && { hint: `${formatShare(share)} of the prompts` }),
    },
    { label: 'Cache writes', value: formatCompact(cacheWriteTokens(totals)) },
    { label: 'Output tokens', value: formatCompact(totals.outputTokens) },
    {
      label: 'Cost',
      value: formatMoney(totals.costUsd),
      ...(unpriced > 0 && { hint: `without ${formatCount(unpriced)} unpriced` }),
    },
  ];
}
